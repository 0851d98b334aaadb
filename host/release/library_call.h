// LibraryCall: a module's init or its fini, for one who waits only so long; the library goes with
// it until it has returned.
//
// Threads: the loader's makes it and takes the library out again, between which its runner has it.
#pragma once

#include "code/library.h"
#include "runtime/errand.h"

#include <memory>
#include <optional>

namespace baton::release {

/// How long the loader waits.
inline constexpr std::uint64_t kLibraryCallNs = 5'000'000'000;

class LibraryCall final : public runtime::Errand {
 public:
  /// Init with the host's table, or, where that is null, fini.
  LibraryCall(std::unique_ptr<code::Library> library, const baton_host* host)
      : Errand(library->note().module, library->note().version),
        library_(std::move(library)),
        host_(host) {}

  // Once it is done.
  std::unique_ptr<code::Library> take_library() { return std::move(library_); }
  const Result<void>& result() const { return *result_; }

 private:
  void run(runtime::Context& context) override {
    // Left or not, it is the same to us.
    static_cast<void>(runtime::call_hook(context, nullptr, nullptr,
                                         host_ != nullptr ? "init" : "fini", [&] { call(); }));
  }
  void call() {
    if (host_ != nullptr)
      result_ = library_->start(host_);
    else
      library_->finish();
  }

  std::unique_ptr<code::Library> library_;
  const baton_host* const host_;
  std::optional<Result<void>> result_;  // of init
};

}  // namespace baton::release
