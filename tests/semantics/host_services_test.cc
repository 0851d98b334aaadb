#include "node/host_services.h"

#include "behaviour/sys.h"
#include "net/net.h"
#include "support/random_release.h"
#include "support/supervisor_fixture.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <ranges>

namespace baton::node {
namespace {

using description::ApplicationDescription;
using description::Change;
using description::ChildDescription;
using description::ReleaseDescription;
using std::chrono_literals::operator""s;
using testing::HasSubstr;

// Net has to be there before the runtime starts, and to go between its stop and its end.
struct WithNet {
  std::unique_ptr<net::Net> net_;
};

class HostServicesTest : public WithNet, public test::SupervisorFixture {
 protected:
  HostServicesTest()
      : SupervisorFixture(
            [this](runtime::Runtime& runtime) { net_ = std::make_unique<net::Net>(runtime); }),
        applications_(runtime_, [](const behaviour::Ended&) {}),
        log_(std::move(Log::open({LogLevel::kCritical, LogFormat::kText, ""}, clock_)).value()),
        services_(runtime_, applications_, *net_, *log_) {}
  ~HostServicesTest() override {
    services_.stop();
    runtime_.stop();
    net_.reset();
  }

  ChildDescription worker(const std::string& id, const std::string& what = "") {
    ChildDescription child;
    child.id = id;
    child.module = "test";
    child.behaviour = "child";
    child.args = "[" + watcher_.text() + ", " + id + what + "]";
    return child;
  }
  static ChildDescription supervisor(const std::string& id, std::vector<ChildDescription> below) {
    ChildDescription child;
    child.id = id;
    child.type = description::ChildType::kSupervisor;
    child.shutdown = {description::Shutdown::Kind::kInfinity, 0s};
    child.supervisor.children = std::move(below);
    return child;
  }
  static description::ListenerDescription listener(const std::string& name) {
    description::ListenerDescription made;
    made.name = name;
    made.address = {"127.0.0.1", 0};
    return made;
  }
  std::uint16_t free_port() {
    const std::uint16_t port = net_->open(listener("free"))->port;
    EXPECT_TRUE(net_->close("free").ok());
    return port;
  }
  static ReleaseDescription release(std::vector<ChildDescription> children,
                                    std::vector<description::ListenerDescription> listeners = {}) {
    ReleaseDescription made;
    made.applications.resize(1);
    made.applications[0].name = "app";
    made.applications[0].supervisor.children = std::move(children);
    made.listeners = std::move(listeners);
    return made;
  }

  /// Applies what leads from what runs to that; it stays to be exposed, settled or taken back.
  void change_to(const ReleaseDescription& to) {
    changes_ = description::difference(running_, to).value();
    before_ = std::exchange(running_, to);
    for (const Change& change : changes_) {
      const auto applied = services_.apply(change);
      ASSERT_TRUE(applied.ok()) << change.text() << ": " << applied.error().message();
    }
  }
  void go_back() {
    for (const Change& change : changes_ | std::views::reverse) {
      const auto reverted = services_.revert(change);
      ASSERT_TRUE(reverted.ok()) << change.text() << ": " << reverted.error().message();
    }
    running_ = before_;
  }
  void expose() {
    for (const Change& change : changes_) services_.expose(change);
  }
  void settle() {
    for (const Change& change : changes_) services_.settle(change);
  }
  void boot(const ReleaseDescription& to) {
    change_to(to);
    expose();
    settle();
    watcher_.forget();
  }

  baton_term top(const std::string& name = "app") { return applications_.supervisor(name).value(); }
  baton_term pid_of(const std::string& id) { return child_pid(top(), id); }
  baton_term whereis(const std::string& name) { return runtime_.registry().whereis(atom(name)); }
  std::string status_of(baton_term pid) {
    return text(behaviour::sys::get_status(runtime_, pid).value().root());
  }
  /// That child owns the listener from now on.
  void listen(const std::string& id, const std::string& name) {
    cast(pid_of(id), "{listen, <<\"" + name + "\">>}");
    watcher_.await("{listening," + id + ",0}");
  }
  /// Whether a client that connects now is accepted at once; its socket closes with it.
  class Client {
   public:
    explicit Client(const std::string& address) {
      const auto to = description::Address::parse(address).value();
      sockaddr_in where{};
      where.sin_family = AF_INET;
      where.sin_port = htons(to.port);
      inet_pton(AF_INET, to.host.c_str(), &where.sin_addr);
      fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      is_connected_ = connect(fd_, reinterpret_cast<sockaddr*>(&where), sizeof where) == 0;
    }
    ~Client() { close(fd_); }
    bool is_connected() const { return is_connected_; }

   private:
    int fd_;
    bool is_connected_;
  };
  std::uint64_t accepted(const std::string& name) {
    return net_->status(name)->statistics.accepted;
  }

  RealClock clock_;
  behaviour::Applications applications_;
  std::unique_ptr<Log> log_;
  HostServices services_;
  ReleaseDescription running_, before_;
  std::vector<Change> changes_;
};

// ---- Gone, and back

TEST_F(HostServicesTest, ARemovedChildKeepsItsProcessItsMailAndItsNameThroughAWayBack) {
  // A rollback started removed children anew, with an empty state.
  ChildDescription b = worker("b");
  b.name = "bob";
  boot(release({worker("a"), b, worker("c")}));
  const baton_term pid = pid_of("b");

  change_to(release({worker("a"), worker("c")}));
  EXPECT_EQ(whereis("bob"), BATON_NO_TERM);
  cast(pid, "hello");
  EXPECT_THAT(status_of(pid), HasSubstr("status => suspended"));
  go_back();

  EXPECT_EQ(pid_of("b"), pid);
  EXPECT_EQ(whereis("bob"), pid);
  watcher_.await("{got,b,hello}");
}

TEST_F(HostServicesTest, ARemovedChildEndsWhenTheReleaseIsPermanent) {
  boot(release({worker("a"), supervisor("s", {worker("b"), worker("c")})}));

  change_to(release({worker("a")}));
  EXPECT_EQ(watcher_.inbox().size(), 0u);
  expose();
  settle();

  EXPECT_EQ(watcher_.next().text, "{ended,c,shutdown}");
  EXPECT_EQ(watcher_.next().text, "{ended,b,shutdown}");
}

TEST_F(HostServicesTest, ARemovedApplicationComesBackAtItsPlaceWithItsProcesses) {
  ReleaseDescription both = release({worker("a")});
  both.applications.push_back(both.applications[0]);
  both.applications[1].name = "other";
  both.applications[1].supervisor.children = {worker("o")};
  boot(both);
  const baton_term supervisor_pid = top(), a = pid_of("a");

  ReleaseDescription one = both;
  one.applications.erase(one.applications.begin());
  change_to(one);
  EXPECT_FALSE(applications_.supervisor("app").ok());
  go_back();

  EXPECT_EQ(top(), supervisor_pid);
  EXPECT_EQ(pid_of("a"), a);
  EXPECT_EQ(applications_.list()[0].name, "app");
  EXPECT_EQ(call(a, "hi"), "{ok,a}");
}

TEST_F(HostServicesTest, ANewChildMayHaveTheNameAndTheListenerOfARemovedOne) {
  ChildDescription a = worker("a"), b = worker("b");
  a.name = b.name = "shared";
  boot(release({a}, {listener("web")}));
  listen("a", "web");
  const baton_term old = pid_of("a");

  change_to(release({b}, {listener("web")}));
  EXPECT_EQ(whereis("shared"), pid_of("b"));
  listen("b", "web");
  EXPECT_EQ(net_->status("web")->owner, pid_of("b"));
  go_back();

  EXPECT_EQ(whereis("shared"), old);
  EXPECT_EQ(net_->status("web")->owner, old);
}

TEST_F(HostServicesTest, ARemovedListenerAcceptsAgainAtOnceOnTheWayBack) {
  boot(release({worker("a")}, {listener("web")}));
  listen("a", "web");
  const std::string address = services_.listener_address("web");

  change_to(release({worker("a")}));
  EXPECT_EQ(services_.listener_address("web"), "");
  const Client waiting(address);
  EXPECT_TRUE(waiting.is_connected());  // it is bound: the system keeps clients waiting
  go_back();

  EXPECT_EQ(services_.listener_address("web"), address);
  EXPECT_THAT(watcher_.next().text, HasSubstr("tcp_accepted"));
}

TEST_F(HostServicesTest, ARemovedListenerClosesWhenTheReleaseIsPermanent) {
  boot(release({worker("a")}, {listener("web")}));
  const std::string address = services_.listener_address("web");

  change_to(release({worker("a")}));
  expose();
  settle();

  EXPECT_FALSE(Client(address).is_connected());
}

TEST_F(HostServicesTest, ANewListenerAcceptsOnlyOnceItIsExposed) {
  boot(release({worker("a")}));

  change_to(release({worker("a")}, {listener("web")}));
  listen("a", "web");
  const Client early(services_.listener_address("web"));
  EXPECT_TRUE(early.is_connected());
  EXPECT_TRUE(net_->status("web")->is_suspended);
  EXPECT_EQ(accepted("web"), 0u);
  expose();

  EXPECT_THAT(watcher_.next().text, HasSubstr("tcp_accepted"));
}

TEST_F(HostServicesTest, AListenerThatMovesKeepsItsOwnerForthAndBack) {
  boot(release({worker("a")}, {listener("web")}));
  listen("a", "web");
  const std::string old = services_.listener_address("web");
  ReleaseDescription moved = running_;
  moved.listeners[0].protocol = description::Protocol::kHttp;

  change_to(moved);
  expose();
  EXPECT_NE(services_.listener_address("web"), old);
  EXPECT_EQ(net_->status("web")->owner, pid_of("a"));
  go_back();

  EXPECT_EQ(services_.listener_address("web"), old);
  EXPECT_EQ(net_->status("web")->owner, pid_of("a"));
  const Client client(old);
  EXPECT_THAT(watcher_.next().text, HasSubstr("tcp_accepted"));
}

// ---- Changed

TEST_F(HostServicesTest, ASupervisorsChangedNameIsCarriedOut) {
  // Nothing happened until the next start of the host.
  boot(release({supervisor("s", {worker("b")})}));
  ReleaseDescription to = running_;
  to.applications[0].supervisor.children[0].supervisor.name = "s_sup";

  change_to(to);
  EXPECT_EQ(whereis("s_sup"), pid_of("s"));
  go_back();

  EXPECT_EQ(whereis("s_sup"), BATON_NO_TERM);
  EXPECT_NE(pid_of("s"), BATON_NO_TERM);
}

TEST_F(HostServicesTest, AStrategyToSimpleOneForOneIsCarriedOut) {
  // The upgrade failed after the commit.
  boot(release({supervisor("s", {worker("b")})}));
  ReleaseDescription to = running_;
  to.applications[0].supervisor.children[0].supervisor.strategy =
      description::Strategy::kSimpleOneForOne;
  to.applications[0].supervisor.children[0].supervisor.children[0].args =
      "[" + watcher_.text() + "]";

  change_to(to);

  EXPECT_THAT(call_for_pid(pid_of("s"), "{start_child, [i]}"), testing::Ne(BATON_NO_TERM));
}

TEST_F(HostServicesTest, ANestedSupervisorThatRestartsDoesSoWithTheNewTree) {
  boot(release({supervisor("s", {worker("b")})}));
  change_to(release({supervisor("s", {worker("b"), worker("n")})}));
  watcher_.forget();

  exit_signal(pid_of("s"), "kill");

  watcher_.await("{started,b}");
  watcher_.await("{started,n}");
}

TEST_F(HostServicesTest, AChangeThatFailsHasNoEffect) {
  boot(release({worker("a")}));
  const auto changes =
      description::difference(running_, release({worker("a"), worker("x", " | [{fail, nope}]")}))
          .value();

  const auto applied = services_.apply(changes.front());

  ASSERT_FALSE(applied.ok());
  EXPECT_THAT(applied.error().message(), HasSubstr("starting child x: {error,{nope,"));
  sup_ = top();
  EXPECT_EQ(children(), "a=pid");
  change_to(release({worker("a"), worker("b")}));
  EXPECT_EQ(children(), "a=pid b=pid");
}

// ---- A way back that fails, and is tried again

TEST_F(HostServicesTest, AWayBackThatFailedIsTriedAgainOnAChildThatStartsAnew) {
  // It was carried out on the description twice, where the old child stood twice from then on.
  ChildDescription old = worker("b");
  old.name = "bob";
  boot(release({worker("a"), old}));
  change_to(release({worker("a"), worker("b", " | [trap]")}));
  ASSERT_TRUE(runtime_.registry().add(atom("bob"), pid_of("a")));

  ASSERT_TRUE(services_.revert(changes_[1]).ok());
  EXPECT_FALSE(services_.revert(changes_[0]).ok());
  EXPECT_FALSE(services_.revert(changes_[0]).ok());
  runtime_.registry().remove(atom("bob"), pid_of("a"));
  ASSERT_TRUE(services_.revert(changes_[0]).ok());

  EXPECT_EQ(whereis("bob"), pid_of("b"));
  running_ = before_;
  change_to(release({worker("a")}));
  sup_ = top();
  EXPECT_EQ(children(), "a=pid");
}

TEST_F(HostServicesTest, AWayBackThatFailedIsTriedAgainOnAChildThatWasSetAside) {
  // The second try found nothing that was set aside, and took that for success.
  ChildDescription b = worker("b");
  b.name = "bob";
  boot(release({worker("a"), b, worker("c")}));
  const baton_term pid = pid_of("b");
  change_to(release({worker("a"), worker("c")}));
  ASSERT_TRUE(runtime_.registry().add(atom("bob"), pid_of("a")));

  EXPECT_FALSE(services_.revert(changes_[0]).ok());
  EXPECT_FALSE(services_.revert(changes_[0]).ok());
  runtime_.registry().remove(atom("bob"), pid_of("a"));
  go_back();

  EXPECT_EQ(pid_of("b"), pid);
  EXPECT_EQ(whereis("bob"), pid);
  sup_ = top();
  EXPECT_EQ(children(), "a=pid b=pid c=pid");
}

TEST_F(HostServicesTest, AWayBackThatFailedIsTriedAgainOnAnApplicationThatWasSetAside) {
  ReleaseDescription both = release({worker("a")});
  both.applications.push_back(both.applications[0]);
  both.applications[1].name = "other";
  both.applications[1].supervisor.children = {worker("o")};
  both.applications[1].supervisor.children[0].name = "bob";
  boot(both);
  const baton_term supervisor_pid = top("other");
  change_to(release({worker("a")}));
  ASSERT_TRUE(runtime_.registry().add(atom("bob"), pid_of("a")));

  EXPECT_FALSE(services_.revert(changes_[0]).ok());
  EXPECT_FALSE(services_.revert(changes_[0]).ok());
  runtime_.registry().remove(atom("bob"), pid_of("a"));
  go_back();

  EXPECT_EQ(top("other"), supervisor_pid);
  EXPECT_EQ(whereis("bob"), child_pid(supervisor_pid, "o"));
}

TEST_F(HostServicesTest, AWayBackThatFailedIsTriedAgainOnAListenerWhoseAddressIsTaken) {
  // The host aborted: the listener was not what it had been before the first try.
  description::ListenerDescription web = listener("web");
  web.address.port = free_port();
  boot(release({worker("a")}, {web}));
  ReleaseDescription to = running_;
  to.listeners = {listener("web"), web};
  to.listeners[1].name = "api";
  change_to(to);
  ASSERT_EQ(changes_.size(), 2u);

  ASSERT_TRUE(services_.revert(changes_[1]).ok());
  {
    const auto stranger = net_->open({.name = "stranger", .address = web.address});
    ASSERT_TRUE(stranger.ok());
    EXPECT_FALSE(services_.revert(changes_[0]).ok());
    EXPECT_FALSE(services_.revert(changes_[0]).ok());
    ASSERT_TRUE(net_->close("stranger").ok());
  }
  ASSERT_TRUE(services_.revert(changes_[0]).ok());

  EXPECT_EQ(services_.listener_address("web"), web.address.text());
}

// ---- Any two releases

class AnyTwoReleases : public HostServicesTest {
 protected:
  AnyTwoReleases() {
    for (int i = 0; i < 5; ++i)
      ports_.push_back(net_->open(listener("port" + std::to_string(i)))->port);
    for (int i = 0; i < 5; ++i) EXPECT_TRUE(net_->close("port" + std::to_string(i)).ok());
  }

  test::RandomRelease random(std::uint64_t seed) {
    test::RandomRelease made(seed);
    made.ports_ = ports_;
    made.worker_ = [this](ChildDescription& child, test::RandomRelease& from) {
      child = worker(child.id, from.chance(30) ? " | [trap]" : "");
    };
    return made;
  }

  /// What runs, in words that `described` has too.
  std::string observed() {
    std::string all;
    for (const auto& application : applications_.list()) {
      all += "application " + application.name + " " +
             description::application_type_name(application.type) + "\n";
      std::vector<std::string> env;
      const auto environment = applications_.environment(application.name).value();
      for (const auto& [key, value] : environment) env.push_back(key + "=" + text(value.root()));
      std::ranges::sort(env);
      for (const std::string& line : env) all += "  env " + line + "\n";
      observe_supervisor(application.supervisor, "  ", all);
    }
    for (const auto& status : net_->list()) {
      all += listener_text(status.description);
      EXPECT_EQ(status.address.port, status.description.address.port);
    }
    return all;
  }
  std::string described(const ReleaseDescription& wanted) {
    std::string all;
    for (const ApplicationDescription& application : wanted.applications) {
      all += "application " + application.name + " " +
             description::application_type_name(application.type) + "\n";
      std::vector<std::string> env;
      for (const auto& entry : application.env) env.push_back(entry.key + "=" + entry.term);
      std::ranges::sort(env);
      for (const std::string& line : env) all += "  env " + line + "\n";
      describe_supervisor(application.supervisor, "  ", all);
    }
    std::vector<std::string> listeners;
    for (const auto& one : wanted.listeners) listeners.push_back(listener_text(one));
    std::ranges::sort(listeners);
    for (const std::string& line : listeners) all += line;
    return all;
  }
  /// Processes of applications, by their pids.
  std::vector<baton_term> processes() {
    std::vector<baton_term> pids = behaviour::sys::processes(runtime_, 0, 100'000).pids;
    std::erase_if(pids,
                  [&](baton_term pid) { return runtime_.find(pid)->application.load() == 0; });
    return pids;
  }
  std::size_t count(const description::SupervisorDescription& supervisor) {
    std::size_t all = 1;
    if (supervisor.strategy == description::Strategy::kSimpleOneForOne) return all;
    for (const ChildDescription& child : supervisor.children)
      all += child.type == description::ChildType::kSupervisor ? count(child.supervisor) : 1;
    return all;
  }
  std::size_t count(const ReleaseDescription& wanted) {
    std::size_t all = 0;
    for (const auto& application : wanted.applications) all += count(application.supervisor);
    return all;
  }

 private:
  static std::string listener_text(const description::ListenerDescription& one) {
    return "listener " + one.name + " " + one.address.text() + " " +
           description::protocol_name(one.protocol) + " " + std::to_string(one.backlog) + " " +
           std::to_string(one.connections_max) + " " + std::to_string(one.idle_timeout.count()) +
           "\n";
  }
  std::string name_of(baton_term pid) {
    for (const auto& [name, holder] : runtime_.registry().list())
      if (holder == pid) return text(name);
    return "";
  }
  void observe_supervisor(baton_term pid, const std::string& indent, std::string& all) {
    const auto state = behaviour::sys::get_state(runtime_, pid).value();
    all += indent + "flags " + text(*term::map_value(state.root(), atom("flags"))) + " name " +
           name_of(pid) + "\n";
    const auto answer = runtime_.call(pid, parse("which_children"), test::kDeadline).value();
    for (baton_term entry : term::elements(answer.root())) {
      const auto parts = *term::as_tuple(entry);
      if (!term::is_pid(parts[1])) all += indent + "NOT RUNNING " + text(entry) + "\n";
      all += indent + call(pid, "{get_childspec, " + text(parts[0]) + "}") + " name " +
             name_of(parts[1]) + "\n";
      if (parts[2] == atom("supervisor")) observe_supervisor(parts[1], indent + "  ", all);
    }
    if (text(state.root()).find("simple_one_for_one") != std::string::npos)
      for (const char* id : {"item", "piece"})
        if (const std::string spec = call(pid, std::string("{get_childspec, ") + id + "}");
            spec.starts_with("{ok"))
          all += indent + spec + "\n";
  }
  void describe_supervisor(const description::SupervisorDescription& supervisor,
                           const std::string& indent, std::string& all) {
    const auto spec = behaviour::supervisor_spec_of(supervisor, atoms_).value();
    term::Builder builder;
    all += indent + "flags " + text(behaviour::write(spec.flags, builder, atoms_)) + " name " +
           supervisor.name + "\n";
    const bool is_simple = supervisor.strategy == description::Strategy::kSimpleOneForOne;
    for (std::size_t i = 0; i < supervisor.children.size(); ++i) {
      const ChildDescription& child = supervisor.children[i];
      const bool is_supervisor = child.type == description::ChildType::kSupervisor;
      all += indent + "{ok," + text(behaviour::write(spec.children[i], builder, atoms_)) + "}" +
             (is_simple ? "" : " name " + (is_supervisor ? child.supervisor.name : child.name)) +
             "\n";
      if (is_supervisor) describe_supervisor(child.supervisor, indent + "  ", all);
    }
  }

  std::vector<std::uint16_t> ports_;
};

TEST_F(AnyTwoReleases, AreRunAsTheyAreDescribedForthAndBack) {
  constexpr std::uint64_t kSeeds = 40;
  for (std::uint64_t seed = 0; seed < kSeeds && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    test::RandomRelease made = random(seed);
    const ReleaseDescription a = made.make(), b = made.make();
    if (!description::difference(a, b).ok()) continue;
    boot(a);
    ASSERT_EQ(observed(), described(a));
    const std::vector<baton_term> before = processes();

    change_to(b);
    ASSERT_EQ(observed(), described(b));
    go_back();
    ASSERT_EQ(observed(), described(a));
    const bool restarts =
        std::ranges::any_of(changes_, [](const Change& c) { return c.restarts(); });
    if (!restarts) {
      EXPECT_EQ(processes(), before);
    }

    change_to(b);
    expose();
    settle();
    ASSERT_EQ(observed(), described(b));
    EXPECT_EQ(processes().size(), count(b));  // nothing is left frozen
    services_.stop();
    running_ = {};
    watcher_.forget();
  }
}

TEST_F(AnyTwoReleases, FollowEachOtherInOneLifeOfTheHost) {
  constexpr std::uint64_t kSeeds = 40;
  test::RandomRelease made = random(1000);
  for (std::uint64_t number = 0; number < kSeeds && !HasFailure(); ++number) {
    SCOPED_TRACE("release " + std::to_string(number));
    const ReleaseDescription next = made.make();
    if (!description::difference(running_, next).ok()) continue;
    change_to(next);
    ASSERT_EQ(observed(), described(next));
    if (made.chance(30)) {
      go_back();
      ASSERT_EQ(observed(), described(running_));
      continue;
    }
    expose();
    settle();
    EXPECT_EQ(processes().size(), count(next));
    watcher_.forget();
  }
}

TEST_F(AnyTwoReleases, AFailureAfterAnyChangeLeadsBackToTheFirst) {
  constexpr std::uint64_t kSeeds = 6;
  for (std::uint64_t seed = 100; seed < 100 + kSeeds && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    test::RandomRelease made = random(seed);
    const ReleaseDescription a = made.make(), b = made.make();
    const auto changes = description::difference(a, b);
    if (!changes.ok()) continue;
    boot(a);
    for (std::size_t applied = 0; applied <= changes->size(); ++applied) {
      SCOPED_TRACE("after " + std::to_string(applied) + " changes");
      for (std::size_t i = 0; i < applied; ++i) ASSERT_TRUE(services_.apply((*changes)[i]).ok());
      for (std::size_t i = applied; i-- > 0;) ASSERT_TRUE(services_.revert((*changes)[i]).ok());
      ASSERT_EQ(observed(), described(a));
    }
    services_.stop();
    running_ = {};
    watcher_.forget();
  }
}

}  // namespace
}  // namespace baton::node
