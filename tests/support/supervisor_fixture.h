// SupervisorFixture: a supervisor under test, with a watcher that is its parent and hears its
// children.
//
// Threads: the test's.
#pragma once

#include "behaviour/supervisor.h"
#include "runtime/primitives.h"
#include "support/runtime_fixture.h"

#include <string>
#include <vector>

namespace baton::test {

class SupervisorFixture : public RuntimeFixture {
 protected:
  /// The watcher's mail, as a probe's.
  class Watcher {
   public:
    explicit Watcher(Probe probe) : probe_(std::move(probe)) { probe_.trap_exit(); }
    baton_term pid() const { return probe_.pid(); }
    std::string text() const { return probe_.text(); }
    Inbox& inbox() { return probe_.inbox(); }
    Probe& probe() { return probe_; }
    Mail next() { return probe_.next(); }
    Mail await(const std::string& mail) { return probe_.await(mail); }
    /// Forgets all that was sent to it before, also what still lies in its mailbox.
    void forget() {
      probe_.run([](Context&) {});
      inbox().clear();
    }
    /// How that process ended: the text of its exit signal.
    std::string await_exit(baton_term pid) {
      for (;;) {
        Mail mail = probe_.next();
        if (mail.text.empty() || (mail.from == pid && mail.text.starts_with("{'EXIT',")))
          return mail.text;
      }
    }

   private:
    Probe probe_;
  };

  explicit SupervisorFixture(const std::function<void(runtime::Runtime&)>& prepare = nullptr)
      : RuntimeFixture(2, prepare), watcher_(probe()) {}

  /// A spec of a test child; `what` is a list, `more` further keys.
  std::string child(const std::string& id, const std::string& what = "[]",
                    const std::string& more = "") const {
    return "#{id => " + id + ", start => {test, child, [" + watcher_.text() + "," + id + "|" +
           what + "]}" + (more.empty() ? "" : ", " + more) + "}";
  }
  std::string stubborn(const std::string& id, const std::string& more) const {
    return "#{id => " + id + ", start => {test, stubborn, [" + watcher_.text() + "," + id + "]}, " +
           more + "}";
  }

  /// Starts a supervisor below the watcher and lets it do.
  void start(const std::string& flags, const std::vector<std::string>& specs) {
    std::string list;
    for (const std::string& spec : specs) list += (list.empty() ? "" : ", ") + spec;
    const term::Block args = parse("{" + flags + ", [" + list + "]}");
    watcher_.probe().run([&](Context& context) {
      sup_ = runtime::spawn(context, {.version = &runtime_.builtin(),
                                      .behaviour = behaviour::host_behaviour("supervisor"),
                                      .args = runtime::message_of(context, args.root()),
                                      .parent = context.self,
                                      .is_linked = true,
                                      .notifies_parent = true})
                 .pid;
    });
  }
  void await_start() { watcher_.inbox().await_from(sup_, "started"); }
  /// And waits until it runs; what its children said so far is forgotten.
  void start_running(const std::string& flags, const std::vector<std::string>& specs) {
    start(flags, specs);
    await_start();
    watcher_.forget();
  }
  /// Its parent's exit signal.
  void stop(const std::string& reason) {
    const term::Block block = parse(reason);
    watcher_.probe().run([&](Context& context) {
      runtime::exit_signal(context, sup_,
                           runtime::message_of(context, block.root(), BATON_MESSAGE, 1));
    });
  }
  void await_start_of(const std::string& id) { watcher_.await("{started," + id + "}"); }
  void await_end(const std::string& id, const std::string& reason) {
    watcher_.await("{ended," + id + "," + reason + "}");
  }

  std::string ask(const std::string& request) { return call(sup_, request); }
  /// A request whose answer comes to that probe.
  void ask_later(Probe& asker, const std::string& request) {
    const term::Block block = parse(request);
    asker.run([&](Context& context) {
      runtime::call(context, sup_, runtime::message_of(context, block.root(), BATON_CALL, 1));
    });
  }

  /// "a=pid b=undefined": which_children, without what differs from run to run. What is starting
  /// has its pid.
  std::string children() {
    std::string all;
    const auto answer = runtime_.call(sup_, parse("which_children"), kDeadline);
    EXPECT_TRUE(answer.ok());
    if (!answer.ok()) return {};
    for (baton_term entry : term::elements(answer->root())) {
      const auto parts = *term::as_tuple(entry);
      all += (all.empty() ? "" : " ") + text(parts[0]) + "=" +
             (term::is_pid(parts[1]) ? "pid" : text(parts[1]));
    }
    return all;
  }
  baton_term child_pid(baton_term supervisor, const std::string& id) {
    const auto answer = runtime_.call(supervisor, parse("which_children"), kDeadline);
    EXPECT_TRUE(answer.ok());
    if (!answer.ok()) return BATON_NO_TERM;
    for (baton_term entry : term::elements(answer->root())) {
      const auto parts = *term::as_tuple(entry);
      if (text(parts[0]) == id && term::is_pid(parts[1])) return parts[1];
    }
    ADD_FAILURE() << id << " has no pid in " << text(answer->root());
    return BATON_NO_TERM;
  }
  baton_term pid_of(const std::string& id) { return child_pid(sup_, id); }

  Watcher watcher_;
  baton_term sup_ = BATON_NO_TERM;
};

}  // namespace baton::test
