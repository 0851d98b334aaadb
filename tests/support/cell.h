// Cell: where code under test stays inside until the test lets it go.
//
// Threads: any.
#pragma once

#include <atomic>

namespace baton::test {

class Cell {
 public:
  ~Cell() { open(); }
  void stay() {
    is_inside_ = true;
    is_inside_.notify_all();
    is_open_.wait(false);
  }
  void await_inside() { is_inside_.wait(false); }
  void open() {
    is_open_ = true;
    is_open_.notify_all();
  }

 private:
  std::atomic<bool> is_inside_{false};
  std::atomic<bool> is_open_{false};
};

}  // namespace baton::test
