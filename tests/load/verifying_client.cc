// verifying_client: steady load on kv and web that checks every reply and never reconnects.
//
// Writes a JSON object a line: {"event":"ready"}, "loaded", "step" for each step ended, "verified",
// and at last "end" with everything. It is told what to do on standard input, a command a line,
// unless --seconds says how long it lasts:
//   mark NAME   ends the step and begins another
//   verify      pauses, reads everything back that was ever stored, goes on
//   stop        ends as the end of input, SIGTERM and SIGINT do: verifies once more, reports, exits
// Exit: 0 nothing failed, was dropped or was lost; 1 something was; 2 usage, or nobody listens.
#include "load/client.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>

namespace baton::load {
namespace {

constexpr const char* kUsage =
    "usage: verifying_client [--kv ADDRESS:PORT] [--web ADDRESS:PORT] [options]\n"
    "  --kv-connections N   connections to kv (8)        --kv-rate N    requests a second to kv "
    "(2000)\n"
    "  --web-connections N  connections to web (8)       --web-rate N   requests a second to web "
    "(1000)\n"
    "  --keys N             bulk keys to store first (0) --timeout S    longest wait for a reply "
    "(10)\n"
    "  --seconds S          end by itself; without it commands come on standard input\n"
    "  --seed N             of the random choices (1)\n";
constexpr std::uint64_t kKeysMax = 100'000'000;
constexpr double kConnectionsMax = 10'000;

struct Options {
  ClientOptions client;
  double seconds = 0;  // 0: until told
};

Result<double> number(const std::string& name, const std::string& text, double least, double most) {
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  if (text.empty() || *end != '\0' || !(value >= least && value <= most)) {
    return Error(Code::kUsage, name + " takes a number from " + std::to_string(least) + " to " +
                                   std::to_string(most) + ", got \"" + text + "\"");
  }
  return value;
}

Result<Options> parse(int argc, char** argv) {
  Options options;
  options.client.web.rate = 1000;
  std::map<std::string, std::string> given;
  for (int i = 1; i < argc; i += 2) {
    if (i + 1 == argc) return Error(Code::kUsage, std::string(argv[i]) + " needs a value");
    given[argv[i]] = argv[i + 1];
  }
  for (const auto& [name, text] : given) {
    ServiceOptions& service = name.starts_with("--web") ? options.client.web : options.client.kv;
    if (name == "--kv" || name == "--web") {
      BATON_ASSIGN(const Address address, parse_address(text));
      service.address = address.text();
    } else if (name == "--kv-connections" || name == "--web-connections") {
      BATON_ASSIGN(const double value, number(name, text, 1, kConnectionsMax));
      service.connections = static_cast<unsigned>(value);
    } else if (name == "--kv-rate" || name == "--web-rate") {
      BATON_ASSIGN(service.rate, number(name, text, 1, 1e6));
    } else if (name == "--keys") {
      BATON_ASSIGN(const double value, number(name, text, 0, static_cast<double>(kKeysMax)));
      options.client.keys = static_cast<std::uint64_t>(value);
    } else if (name == "--timeout") {
      BATON_ASSIGN(options.client.timeout_s, number(name, text, 0.001, 3600));
    } else if (name == "--seconds") {
      BATON_ASSIGN(options.seconds, number(name, text, 0.001, 86400));
    } else if (name == "--seed") {
      BATON_ASSIGN(const double value, number(name, text, 0, std::ldexp(1, 53)));
      options.client.seed = static_cast<std::uint64_t>(value);
    } else {
      return Error(Code::kUsage, "unknown option " + name);
    }
  }
  if (Client::services(options.client).empty()) {
    return Error(Code::kUsage, "give --kv or --web or both");
  }
  return options;
}

void say(const std::string& line) {
  std::fputs((line + "\n").c_str(), stdout);
  std::fflush(stdout);
}

/// The client's life: load, then steady load under the commands that arrive, then the last word.
class Session {
 public:
  Session(const Options& options, Client* client, Record* record, int signals)
      : options_(options), client_(client), record_(record), signals_(signals) {}

  bool run() {
    if (options_.client.keys > 0) flood(Work::kLoad, "loaded");
    record_->next_step(unix_ms(), "steady");
    Client::Control control;
    control.fds = {signals_};
    if (options_.seconds == 0) control.fds.push_back(STDIN_FILENO);
    control.ready = [this](int fd) { ready(fd); };
    const auto end_ns = now_ns() + static_cast<std::uint64_t>(options_.seconds * 1e9);
    const auto is_due = [&] { return options_.seconds > 0 && now_ns() >= end_ns; };
    while (!is_stopped_ && !is_due() && client_->open_connections() > 0) {
      client_->steady(control, [&] {
        return is_stopped_ || wants_verify_ || is_due() || client_->open_connections() == 0;
      });
      if (wants_verify_) verify();
      wants_verify_ = false;
      obey_lines();
    }
    verify();
    say(record_->end(unix_ms()));
    return record_->is_clean();
  }

 private:
  void flood(Work work, const char* event) {
    const std::uint64_t began = now_ns();
    const std::uint64_t answered = client_->flood(work);
    const auto took_ms = static_cast<double>(now_ns() - began) / 1e6;
    char line[160];
    std::snprintf(line, sizeof line, "{\"event\":\"%s\",\"requests\":%llu,\"ms\":%.1f}", event,
                  static_cast<unsigned long long>(answered), took_ms);
    say(line);
  }

  void verify() { flood(Work::kVerify, "verified"); }

  void ready(int fd) {
    if (fd == signals_) {
      signalfd_siginfo signal;
      if (::read(signals_, &signal, sizeof signal) == sizeof signal) is_stopped_ = true;
      return;
    }
    char chunk[4096];
    const ssize_t n = ::read(STDIN_FILENO, chunk, sizeof chunk);
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) return;
    if (n <= 0) is_stopped_ = true;
    if (n > 0) lines_.append(chunk, static_cast<std::size_t>(n));
    obey_lines();
  }

  // What stands after "verify" waits until that is done.
  void obey_lines() {
    std::size_t end;
    while (!wants_verify_ && (end = lines_.find('\n')) != std::string::npos) {
      const std::string line = lines_.substr(0, end);
      lines_.erase(0, end + 1);
      obey(line);
    }
  }

  void obey(const std::string& line) {
    if (line == "stop") {
      is_stopped_ = true;
    } else if (line == "verify") {
      wants_verify_ = true;
    } else if (line.starts_with("mark ")) {
      client_->note_waiting();
      say(record_->next_step(unix_ms(), line.substr(5)));
    } else {
      std::fprintf(stderr, "verifying_client: unknown command \"%s\"\n", line.c_str());
    }
  }

  const Options options_;
  Client* const client_;
  Record* const record_;
  const int signals_;
  std::string lines_;
  bool is_stopped_ = false;
  bool wants_verify_ = false;
};

int run(int argc, char** argv) {
  const Result<Options> options = parse(argc, argv);
  if (!options) {
    std::fprintf(stderr, "verifying_client: %s\n%s", options.error().message().c_str(), kUsage);
    return 2;
  }
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  ::sigprocmask(SIG_BLOCK, &signals, nullptr);
  const int signal_fd = ::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
  BATON_CHECK(signal_fd >= 0);

  Record record(Client::services(options->client), "load");
  Result<std::unique_ptr<Client>> client = Client::connect(options->client, &record);
  if (!client) {
    std::fprintf(stderr, "verifying_client: %s\n", client.error().message().c_str());
    return 2;
  }
  say("{\"event\":\"ready\"}");
  return Session(*options, client->get(), &record, signal_fd).run() ? 0 : 1;
}

}  // namespace
}  // namespace baton::load

int main(int argc, char** argv) { return baton::load::run(argc, argv); }
