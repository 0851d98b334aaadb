"""web on a real host: one connection, its requests in order, and what notes mean for the way down."""

from host import HostCase, demo, main


class Web(HostCase):
    def test_pipelined_requests_are_answered_in_order(self):
        # given
        self.host.deploy(demo("1.0.0"))
        paths = ["/totals", "/health", "/orders/1", "/orders"] * 10
        beginnings = {"/totals": '{"orders":0', "/health": '{"status"', "/orders/1": '{"error"',
                      "/orders": '{"orders":['}
        # when
        with self.host.connect("web") as client:
            requests = [f"GET {path} HTTP/1.1\r\nHost: test\r\n" for path in paths]
            client.send("\r\n".join(requests) + "Connection: close\r\n\r\n")
            answers = client.rest()
        # then
        bodies = [part.split("HTTP/1.1")[0] for part in answers.split("\r\n\r\n")[1:]]
        self.assertEqual(len(bodies), len(paths), answers)
        for path, body in zip(paths, bodies):
            self.assertTrue(body.startswith(beginnings[path]), (path, body))

    def test_notes_are_counted_on_the_way_down(self):
        # given
        self.host.deploy(demo("1.0.0"))
        order = self.host.http("POST", "/orders", {"item": "tea", "quantity": 2, "price": 12.5})[1]
        self.host.deploy(demo("1.1.0"))
        noted = {**order, "note": "green"}
        self.assertEqual(self.host.http("PUT", "/orders/1/note", {"note": "green"}), (200, noted))
        self.assertEqual(self.host.http("GET", "/orders/1"), (200, noted))
        # when
        self.assert_refused(6, "would lose 1 of order notes", "rollback", "1.0.0")
        self.assertEqual(self.host.http("GET", "/orders/1"), (200, noted))
        self.host.must("rollback", "1.0.0", "--accept-loss")
        # then
        self.assertEqual(self.host.http("GET", "/orders/1"), (200, order))
        self.assertEqual(self.host.http("PUT", "/orders/1/note", {"note": "green"})[0], 404)


if __name__ == "__main__":
    main()
