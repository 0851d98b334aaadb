#include "load/client.h"

#include "load/order_model.h"

#include <poll.h>

#include <algorithm>
#include <chrono>
#include <ctime>

namespace baton::load {
namespace {

// The loop looks for overdue requests at least this often.
constexpr std::uint64_t kRoundNs = 100'000'000;

}  // namespace

std::uint64_t now_ns() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(std::chrono::nanoseconds(now).count());
}

double unix_ms() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration<double, std::milli>(now).count();
}

std::vector<std::string> Client::services(const ClientOptions& options) {
  std::vector<std::string> names;
  if (!options.kv.address.empty()) names.push_back("kv");
  if (!options.web.address.empty()) names.push_back("web");
  return names;
}

Client::Client(const ClientOptions& options, Record* record)
    : options_(options), record_(record), random_(options.seed), generations_(options.keys) {}

Result<std::unique_ptr<Client>> Client::connect(const ClientOptions& options, Record* record) {
  std::unique_ptr<Client> client(new Client(options, record));
  std::size_t service = 0;
  for (const ServiceOptions* each : {&client->options_.kv, &client->options_.web}) {
    if (each->address.empty()) continue;
    BATON_TRY(client->open(*each, service));
    ++service;
  }
  client->last_reply_ns_.assign(service, now_ns());
  return client;
}

Result<void> Client::open(const ServiceOptions& options, std::size_t service) {
  BATON_ASSIGN(const Address address, parse_address(options.address));
  const auto period = static_cast<std::uint64_t>(1e9 * options.connections / options.rate);
  for (unsigned i = 0; i < options.connections; ++i) {
    std::unique_ptr<Model> model;
    if (&options == &options_.web) {
      model = std::make_unique<OrderModel>(address.text(), i);
    } else {
      model = std::make_unique<KeyModel>(&generations_, i, options.connections);
    }
    BATON_ASSIGN(Connection connection, Connection::open(address, std::move(model)));
    slots_.push_back({std::move(connection), service, i, period});
  }
  return {};
}

std::size_t Client::open_connections() const {
  return static_cast<std::size_t>(std::count_if(
      slots_.begin(), slots_.end(), [](const Slot& slot) { return slot.connection.is_open(); }));
}

bool Client::is_quiet() const {
  return std::all_of(slots_.begin(), slots_.end(), [](const Slot& slot) {
    return !slot.connection.is_open() || slot.connection.in_flight() == 0;
  });
}

void Client::begin(Work work) {
  work_ = work;
  answered_ = 0;
  const std::uint64_t now = now_ns();
  last_reply_ns_.assign(last_reply_ns_.size(), now);
  for (Slot& slot : slots_) {
    if (!slot.connection.is_open()) continue;
    slot.connection.model().begin(work);
    slot.is_done = false;
    slot.due_ns = now + random_() % slot.period_ns;
  }
}

std::uint64_t Client::flood(Work work) {
  begin(work);
  for (;;) {
    const std::uint64_t now = now_ns();
    bool is_over = true;
    for (Slot& slot : slots_) {
      if (slot.connection.is_open()) fill(slot, now);
      if (slot.connection.is_open() && (!slot.is_done || slot.connection.in_flight() > 0))
        is_over = false;
    }
    if (is_over) return answered_;
    round(nullptr, now + kRoundNs);
  }
}

void Client::fill(Slot& slot, std::uint64_t now) {
  while (!slot.is_done && slot.connection.in_flight() < kFloodWindow) {
    const std::string bytes = slot.connection.model().next(random_);
    if (bytes.empty()) {
      slot.is_done = true;
    } else {
      slot.connection.ask(bytes, now);
    }
  }
  if (const std::string why = slot.connection.flush(); !why.empty()) lost(slot, why);
}

void Client::steady(const Control& control, const std::function<bool()>& is_over) {
  begin(Work::kMix);
  while (!is_over()) {
    const std::uint64_t now = now_ns();
    std::uint64_t until = now + kRoundNs;
    for (Slot& slot : slots_) {
      if (!slot.connection.is_open() || slot.connection.in_flight() > 0) continue;
      if (slot.due_ns <= now) {
        send_batch(slot, now);
      } else {
        until = std::min(until, slot.due_ns);
      }
    }
    round(&control, until);
  }
  while (!is_quiet()) round(nullptr, now_ns() + kRoundNs);
}

void Client::send_batch(Slot& slot, std::uint64_t now) {
  const unsigned batch = random_() % 3 == 0 ? 1 + static_cast<unsigned>(random_() % kBatchMax) : 1;
  for (unsigned i = 0; i < batch; ++i)
    slot.connection.ask(slot.connection.model().next(random_), now);
  slot.due_ns = std::max(now, slot.due_ns + batch * slot.period_ns);
  if (const std::string why = slot.connection.flush(); !why.empty()) lost(slot, why);
}

void Client::round(const Control* control, std::uint64_t until_ns) {
  std::vector<pollfd> fds;
  std::vector<Slot*> owners;
  for (Slot& slot : slots_) {
    if (!slot.connection.is_open()) continue;
    const int wanted = POLLIN | (slot.connection.wants_write() ? POLLOUT : 0);
    fds.push_back({slot.connection.fd(), static_cast<short>(wanted), 0});
    owners.push_back(&slot);
  }
  if (control != nullptr) {
    for (const int fd : control->fds) fds.push_back({fd, POLLIN, 0});
  }
  const std::uint64_t before = now_ns();
  const std::uint64_t wait = until_ns > before ? until_ns - before : 0;
  const timespec timeout{static_cast<time_t>(wait / 1'000'000'000),
                         static_cast<long>(wait % 1'000'000'000)};
  if (::ppoll(fds.data(), fds.size(), &timeout, nullptr) > 0) {
    for (std::size_t i = 0; i < fds.size(); ++i) {
      if (fds[i].revents == 0) continue;
      if (i >= owners.size()) {
        control->ready(fds[i].fd);
        continue;
      }
      Slot& slot = *owners[i];
      std::string why;
      if (fds[i].revents & POLLOUT) why = slot.connection.flush();
      if (why.empty() && (fds[i].revents & ~POLLOUT)) {
        why = slot.connection.receive(
            [&](const Answer& answer, std::uint64_t sent_ns) { replied(slot, answer, sent_ns); });
      }
      if (!why.empty()) lost(slot, why);
    }
  }
  give_up_overdue(now_ns());
}

void Client::replied(Slot& slot, const Answer& answer, std::uint64_t sent_ns) {
  const std::uint64_t now = now_ns();
  ++answered_;
  if (work_ == Work::kMix) {
    record_->replied(slot.service, now - sent_ns);
    record_->silent(slot.service, now - last_reply_ns_[slot.service]);
  }
  last_reply_ns_[slot.service] = now;
  if (!answer.wrong.empty())
    record_->failed(slot.service, slot.number, unix_ms(), answer.wrong, answer.lost);
}

void Client::lost(Slot& slot, const std::string& why) {
  record_->dropped(slot.service, slot.number, unix_ms(), why, slot.connection.in_flight());
}

void Client::give_up_overdue(std::uint64_t now) {
  for (Slot& slot : slots_) {
    if (!slot.connection.is_open() || slot.connection.in_flight() == 0) continue;
    const std::uint64_t oldest = slot.connection.oldest_ns();
    const double age_s = now > oldest ? static_cast<double>(now - oldest) / 1e9 : 0;
    if (age_s <= options_.timeout_s) continue;
    slot.connection.close();
    lost(slot, "given up: no reply within the time limit");
  }
}

void Client::note_waiting() {
  const std::uint64_t now = now_ns();
  for (Slot& slot : slots_) {
    if (!slot.connection.is_open() || slot.connection.in_flight() == 0) continue;
    record_->silent(slot.service, now - last_reply_ns_[slot.service]);
    record_->waiting(slot.service, now - slot.connection.oldest_ns());
  }
}

}  // namespace baton::load
