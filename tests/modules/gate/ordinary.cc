// ordinary: a module that uses of the C++ library what module code uses, so that the gate's list of
// imports is held to it.
#include <baton/abi.h>

#include <boost/multiprecision/cpp_int.hpp>

#include <algorithm>
#include <any>
#include <bitset>
#include <charconv>
#include <chrono>
#include <cmath>
#include <complex>
#include <coroutine>
#include <cstdio>
#include <cstring>
#include <deque>
#include <functional>
#include <iomanip>
#include <list>
#include <map>
#include <memory>
#include <memory_resource>
#include <optional>
#include <random>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <system_error>
#include <unordered_map>
#include <variant>
#include <vector>

namespace {

struct Shape {
  virtual ~Shape() = default;
  virtual double area() const = 0;
};
struct Square : Shape {
  double area() const override { return 4; }
};

struct Step {
  struct promise_type {
    Step get_return_object() { return {std::coroutine_handle<promise_type>::from_promise(*this)}; }
    std::suspend_always initial_suspend() noexcept { return {}; }
    std::suspend_always final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { thrown = std::current_exception(); }
    std::exception_ptr thrown;
  };
  std::coroutine_handle<promise_type> handle;
};

Step step(std::string text) {
  co_await std::suspend_always{};
  throw std::out_of_range(text);
}

std::string containers(int n) {
  std::string s = std::to_string(n) + "abc";
  s.insert(2, "x").replace(0, 1, "yy").append(77, 'c').erase(0, 1);
  std::map<std::string, int> map{{s, n}};
  std::set<int> set{1, n};
  std::unordered_map<std::string, std::vector<int>> table;
  table[s].push_back(map.size() + set.size());
  std::deque<int> queue(static_cast<std::size_t>(n));
  queue.push_front(1);
  std::list<int> list{3, n};
  list.sort();
  std::vector<int> numbers(queue.begin(), queue.end());
  std::stable_sort(numbers.begin(), numbers.end());
  std::pmr::monotonic_buffer_resource pool(256);
  std::pmr::vector<int> pooled(numbers.begin(), numbers.end(), &pool);
  std::u32string wide(3, U'x');
  return s + std::bitset<8>(pooled.size() + wide.size()).to_string();
}

std::string failures(int n) {
  std::string text;
  try {
    if (n == 1) throw std::system_error(std::make_error_code(std::errc::invalid_argument));
    std::variant<int, std::string> either = n;
    std::any any = std::get<std::string>(either);
    text = std::any_cast<std::string>(any) + std::to_string(std::optional<int>().value()) +
           std::to_string(std::stoi("x"));
  } catch (const std::system_error& e) {
    text = e.code().message();
  } catch (const std::exception& e) {
    text = e.what();
  }
  Step frame = step(text);
  frame.handle.resume();
  frame.handle.resume();
  try {
    std::rethrow_exception(frame.handle.promise().thrown);
  } catch (const std::out_of_range& e) {
    text += e.what();
  }
  frame.handle.destroy();
  return text;
}

std::string numbers(int n) {
  double x = std::sin(n) + std::pow(n, 3) + std::tgamma(n) + std::hypot(n, 1) +
             std::abs(std::exp(std::complex<double>(n, 1)));
  char buffer[64];
  auto end = std::to_chars(buffer, buffer + sizeof buffer, x).ptr;
  std::from_chars(buffer, end, x);
  std::snprintf(buffer, sizeof buffer, "%d %.3f", n, x);
  std::mt19937_64 engine(static_cast<unsigned>(n));
  std::ostringstream out;
  out << std::setw(5) << n << ' ' << std::hex << engine() << buffer
      << std::normal_distribution<>()(engine);
  boost::multiprecision::cpp_int product = 1;
  for (int i = 1; i < n; ++i) product *= i;
  __extension__ __int128 quotient = __int128{n} * n / 7;
  const auto now = std::chrono::steady_clock::now() - std::chrono::steady_clock::time_point{};
  return out.str() + product.str() + std::to_string(static_cast<int>(quotient)) +
         std::to_string(now.count());
}

int init(const baton_host* host, baton_error*) {
  std::shared_ptr<Shape> shape = std::make_shared<Square>();
  std::function<double()> area = [shape] { return shape->area(); };
  const int n = static_cast<int>(host->struct_size % 50 + area());
  const auto* square = dynamic_cast<const Square*>(shape.get());
  return (containers(n) + failures(n) + numbers(n)).empty() || square == nullptr ? -1 : 0;
}

constexpr baton_module kDescription = {sizeof(baton_module),
                                       BATON_ABI_MAJOR,
                                       BATON_ABI_MINOR,
                                       "ordinary",
                                       "1.0.0",
                                       "ordinary",
                                       0,
                                       sizeof(baton_behaviour),
                                       nullptr,
                                       init,
                                       nullptr};

BATON_NOTE("baton-note 1\nmodule ordinary\nversion 1.0.0\nabi 1.2\nbuild ordinary\n");

}  // namespace

extern "C" __attribute__((visibility("default"))) const baton_module* baton_module_entry() {
  return &kDescription;
}
