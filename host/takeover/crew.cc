#include "takeover/crew.h"

#include "base/check.h"

namespace baton::takeover {

class Crew::Member final : public runtime::Errand {
 public:
  Member(Crew& crew, std::size_t number_of, std::shared_ptr<Keeper> keeper)
      : number(number_of), crew_(crew), keeper_(std::move(keeper)) {}

  const std::size_t number;
  bool is_working = false;  // guarded by the crew's mutex_

 private:
  void run(runtime::Context& context) override {
    crew_.serve(context, *this);
    if (!is_left()) keeper_ = nullptr;
  }
  void pin() override { keeper_->pin(); }
  void unpin(runtime::Context& context) override {
    keeper_->unpin(context);
    keeper_ = nullptr;
  }

  Crew& crew_;
  std::shared_ptr<Keeper> keeper_;  // null once this is done
};

void Crew::hire(runtime::Runtime& runtime, std::size_t size,
                const std::shared_ptr<Keeper>& keeper) {
  std::lock_guard lock(mutex_);
  BATON_CHECK(members_.empty(), "a crew is hired once");
  while (members_.size() + 1 < size) {
    auto member = std::make_shared<Member>(*this, members_.size() + 1, keeper);
    if (!runtime.runners().lend(member)) return;
    members_.push_back(std::move(member));
  }
}

void Crew::run(runtime::Context& own, Call call, void* work) {
  {
    std::lock_guard lock(mutex_);
    BATON_CHECK(working_ == 0 && !is_over_, "the round before is over, and the crew is there");
    call_ = call;
    work_ = work;
    working_ = members_.size();
    for (const auto& member : members_) member->is_working = true;
    ++round_;
    changed_.notify_all();
  }
  call(work, own, 0);
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return working_ == 0; });
}

void Crew::serve(runtime::Context& context, Member& member) {
  std::unique_lock lock(mutex_);
  for (std::size_t done = 0;; ++done) {
    changed_.wait(lock, [&] { return is_over_ || round_ != done; });
    if (round_ == done) return;
    const Call call = call_;
    void* const work = work_;
    lock.unlock();
    call(work, context, member.number);
    lock.lock();
    if (member.is_left()) return;
    member.is_working = false;
    if (--working_ == 0) changed_.notify_all();
  }
}

bool Crew::leave_stuck(std::vector<baton_term>& processes) {
  std::lock_guard lock(mutex_);
  for (const auto& member : members_) {
    if (!member->is_working || !member->leave()) continue;
    if (member->left_process() != BATON_NO_TERM) processes.push_back(member->left_process());
    member->is_working = false;
    if (--working_ == 0) changed_.notify_all();
  }
  return working_ == 0;
}

void Crew::dismiss() {
  std::lock_guard lock(mutex_);
  is_over_ = true;
  changed_.notify_all();
}

}  // namespace baton::takeover
