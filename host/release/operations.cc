#include "release/operations.h"

#include "base/check.h"

#include <future>
#include <utility>

namespace baton::release {

Operations::Operations(const Clock& clock, Options options, Task look, Task after)
    : clock_(clock), look_(std::move(look)), after_(std::move(after)), last_id_(options.last_id) {
  if (options.has_thread) thread_ = std::thread([this] { work(); });
}

Operations::~Operations() {
  stop([] {});
}

Error Operations::busy_error(const Operation& operation) const {
  const std::string id = std::to_string(operation.id);
  const std::string target = operation.target.empty() ? "" : " " + operation.target;
  return Error(Code::kBusy, "operation " + id + " (" + operation.kind + target + " by " +
                                operation.who + ", since " + operation.started_at +
                                ") is under way; await its end with: baton operation " + id);
}

Result<std::shared_ptr<Operation>> Operations::begin(std::string kind, std::string target,
                                                     std::string who, Body body) {
  std::lock_guard lock(mutex_);
  if (is_stopping_) return Error(Code::kUnreachable, "the host is stopping");
  if (busy_ != nullptr) return busy_error(*busy_);
  auto operation = std::make_shared<Operation>(++last_id_, std::move(kind), std::move(target),
                                               std::move(who), format_time(clock_.wall()));
  operations_.emplace(operation->id, operation);
  forget_oldest();
  busy_ = operation;
  tasks_.push_back([this, operation, body = std::move(body)] {
    std::optional<Result<void>> result = body(operation);
    {
      std::lock_guard guard(mutex_);
      busy_ = nullptr;
    }
    after_();
    if (result) operation->finish(*std::move(result));
  });
  changed_.notify_all();
  return operation;
}

void Operations::forget_oldest() {
  for (auto it = operations_.begin();
       operations_.size() > kOperationsKept && it != operations_.end();)
    it = it->second->is_done() ? operations_.erase(it) : std::next(it);
}

Result<void> Operations::ask(Task task) {
  auto done = std::make_shared<std::promise<void>>();
  {
    std::lock_guard lock(mutex_);
    if (is_stopping_) return Error(Code::kUnreachable, "the host is stopping");
    if (busy_ != nullptr) return busy_error(*busy_);
    tasks_.push_back([this, task = std::move(task), done] {
      task();
      after_();
      done->set_value();
    });
    changed_.notify_all();
  }
  if (!thread_.joinable())
    while (step()) continue;
  done->get_future().wait();
  return {};
}

void Operations::wake() {
  std::lock_guard lock(mutex_);
  if (std::exchange(is_woken_, true)) return;
  changed_.notify_all();
}

void Operations::wake_at(std::optional<std::chrono::nanoseconds> monotonic) {
  std::lock_guard lock(mutex_);
  look_at_ = monotonic;
}

std::optional<Operations::Task> Operations::next() {
  if (!tasks_.empty()) {
    Task task = std::move(tasks_.front());
    tasks_.pop_front();
    return task;
  }
  if (is_stopping_) return std::nullopt;
  if (!is_woken_ && !(look_at_ && clock_.monotonic() >= *look_at_)) return std::nullopt;
  is_woken_ = false;
  look_at_.reset();
  return [this] {
    look_();
    after_();
  };
}

void Operations::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    if (std::optional<Task> task = next()) {
      lock.unlock();
      (*task)();
      lock.lock();
    } else if (is_stopping_) {
      return;
    } else if (look_at_) {
      changed_.wait_for(lock, *look_at_ - clock_.monotonic());
    } else {
      changed_.wait(lock);
    }
  }
}

bool Operations::step() {
  std::optional<Task> task;
  {
    std::lock_guard lock(mutex_);
    task = next();
  }
  if (task) (*task)();
  return task.has_value();
}

void Operations::stop(Task last) {
  {
    std::lock_guard lock(mutex_);
    if (is_stopping_) return;
    tasks_.push_back(std::move(last));
    is_stopping_ = true;
    changed_.notify_all();
  }
  if (thread_.joinable())
    thread_.join();
  else
    while (step()) continue;
}

std::shared_ptr<Operation> Operations::find(std::uint64_t id) const {
  std::lock_guard lock(mutex_);
  const auto found = operations_.find(id);
  return found == operations_.end() ? nullptr : found->second;
}

std::vector<std::shared_ptr<Operation>> Operations::list() const {
  std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<Operation>> all;
  for (const auto& [id, operation] : operations_) all.push_back(operation);
  return all;
}

std::shared_ptr<Operation> Operations::busy() const {
  std::lock_guard lock(mutex_);
  return busy_;
}

}  // namespace baton::release
