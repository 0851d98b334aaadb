// LoadedHost: a runtime with modules loaded from their files, for tests of what needs real
// libraries.
//
// Threads: the test's.
#pragma once

#include "code/library.h"
#include "module/evolution.h"
#include "runtime/primitives.h"
#include "runtime/runtime.h"
#include "term/builder.h"
#include "term/text.h"

#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <string>
#include <utility>

namespace baton::test {

class LoadedHost : private runtime::Observer {
 public:
  LoadedHost() : LoadedHost({.schedulers = 2}) { runtime_.start(); }
  /// One that is not started: its schedulers have no threads, and whoever waits for them steps
  /// them.
  explicit LoadedHost(runtime::Options options)
      : runtime_(std::move(options), atoms_, code_, *this) {}
  ~LoadedHost() override { runtime_.stop(); }

  runtime::Runtime& runtime() { return runtime_; }
  code::CodeTable& code() { return code_; }
  std::uint64_t crashes() const { return crashes_.load(); }

  /// Loads the module file beside what is there. The first version of a module becomes current.
  code::Version* load(const std::string& path) {
    auto library = code::Library::open(path, {});
    EXPECT_TRUE(library.ok()) << library.error().message();
    EXPECT_TRUE((*library)->start(&runtime_.host_table()).ok());
    const baton_module* module = (*library)->module();
    module::ModuleNote note = (*library)->note();
    for (const std::string& atom : (*library)->note().atoms) EXPECT_TRUE(atoms_.intern(atom).ok());
    auto staged = code_.stage(std::make_unique<code::Version>(module, std::move(library).value()));
    EXPECT_TRUE(staged.ok()) << staged.error().message();
    notes_[*staged] = std::move(note);
    if (code_.current((*staged)->module_name()) == nullptr)
      code_.make_current((*staged)->module_name());
    return *staged;
  }

  /// What changed between two versions that this host loaded, as the plan would have it.
  module::Evolution evolution(code::Version* from, code::Version* to,
                              module::Direction direction) const {
    return module::compare(notes_.at(from), notes_.at(to), direction);
  }

  baton_term spawn(code::Version* version, const char* behaviour, const std::string& args) {
    runtime::External external(runtime_);
    return runtime::spawn(external.context(),
                          {.version = version,
                           .behaviour = version->behaviour(behaviour),
                           .args = runtime::message_of(external.context(), parse(args).root())})
        .pid;
  }

  term::Block parse(const std::string& wanted) {
    auto parsed = term::parse(wanted, atoms_);
    EXPECT_TRUE(parsed.ok()) << wanted;
    return std::move(parsed).value();
  }
  std::string text(const Result<term::Block>& answer) const {
    return answer.ok() ? term::print(answer->root(), atoms_) : answer.error().message();
  }
  /// The answer to a call, as text; an error's message if there is none.
  std::string call(baton_term to, const std::string& request,
                   std::chrono::milliseconds timeout = std::chrono::seconds(10)) {
    return text(runtime_.call(to, parse(request), timeout));
  }
  std::string state(baton_term pid) {
    return text(runtime_.system(pid, runtime::kGetState, std::chrono::seconds(10)));
  }

 private:
  void crashed(baton_term, const code::Version&, const char*, baton_term) override { ++crashes_; }
  void log(int, baton_term, const code::Version*, std::string_view) override {}

  std::atomic<std::uint64_t> crashes_{0};
  std::map<const code::Version*, module::ModuleNote> notes_;
  term::AtomTable atoms_;
  code::CodeTable code_;
  runtime::Runtime runtime_;
};

}  // namespace baton::test
