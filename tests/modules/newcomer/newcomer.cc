// newcomer: a small server that does what people do in a C++ program, chosen by a macro.
#include <baton/baton.h>

#if defined(NEWCOMER_STATIC_OBJECT)
#include <string>
#elif defined(NEWCOMER_STATIC_IN_FUNCTION)
#include <map>
#include <string>
#elif defined(NEWCOMER_IOSTREAM)
#include <iostream>
#elif defined(NEWCOMER_FSTREAM)
#include <fstream>
#elif defined(NEWCOMER_REGEX)
#include <regex>
#elif defined(NEWCOMER_THREAD)
#include <thread>
#elif defined(NEWCOMER_ASYNC)
#include <future>
#elif defined(NEWCOMER_ATEXIT)
#include <cstdlib>
#elif defined(NEWCOMER_BOOST_JSON)
#include <boost/json/src.hpp>
#elif defined(NEWCOMER_STATIC_IN_ARCHIVE)
int count_call();
#endif

namespace newcomer::inline BATON_BUILD {

using namespace baton::literals;

#if defined(NEWCOMER_STATIC_OBJECT)
std::string greeting(100, 'x');
#elif defined(NEWCOMER_STATIC_IN_FUNCTION)
const std::map<std::string, int>& table() {
  static const std::map<std::string, int> words = {{"one", 1}, {"two", 2}};
  return words;
}
#elif defined(NEWCOMER_THREAD_LOCAL)
thread_local int seen = 0;
#endif

struct Ask {
  std::int64_t by = 1;
  using Reply = std::int64_t;
};
BATON_MESSAGE(Ask, by)

struct State {
  std::int64_t value = 0;
};
BATON_STATE(State, value)

struct Newcomer : baton::GenServer<Newcomer, State> {
  using Calls = baton::Messages<Ask>;

  void init() { register_name("newcomer"_atom); }

  std::int64_t handle_call(const Ask& ask) {
    state().value += ask.by;
#if defined(NEWCOMER_STATIC_OBJECT)
    greeting += "x";
    state().value += static_cast<std::int64_t>(greeting.size());
#elif defined(NEWCOMER_STATIC_IN_FUNCTION)
    state().value += static_cast<std::int64_t>(table().size());
#elif defined(NEWCOMER_STATIC_IN_ARCHIVE)
    state().value += count_call();
#elif defined(NEWCOMER_IOSTREAM)
    std::cout << state().value << "\n";
#elif defined(NEWCOMER_FSTREAM)
    std::ifstream("/etc/hostname") >> state().value;
#elif defined(NEWCOMER_REGEX)
    state().value += std::regex_match("aab", std::regex("a+b"));
#elif defined(NEWCOMER_THREAD_LOCAL)
    state().value += ++seen;
#elif defined(NEWCOMER_THREAD)
    std::thread([]{}).join();
#elif defined(NEWCOMER_ASYNC)
    state().value += std::async([] { return 1; }).get();
#elif defined(NEWCOMER_ATEXIT)
    std::atexit([]{});
#elif defined(NEWCOMER_BOOST_JSON)
    state().value += static_cast<std::int64_t>(boost::json::parse("[1,2]").as_array().size());
#endif
    return state().value;
  }
};

}  // namespace newcomer::inline BATON_BUILD

BATON_MODULE(NEWCOMER_NAME, "1.0.0", newcomer::Newcomer)
