// KeyModel: a connection's keys in a server of the Redis protocol.
//
// Bulk keys: the indices i of 0 .. total-1 with i mod connections == connection, named
// "bulk:%012u", each with a value made from its index and the number of times it was set. Own keys:
// a few with values of any kind, for the rest of the commands. Only commands that every version of
// the store has are used.
//
// Threads: one. The generations of all connections' bulk keys lie in one array, each model writes
//          its own.
// See: model.h
#pragma once

#include "load/model.h"

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

namespace baton::load {

/// How often each bulk key has been set: 0 not yet, kGenerationUnknown after a wrong reply.
using Generations = std::vector<std::uint8_t>;
inline constexpr std::uint8_t kGenerationUnknown = 255;
inline constexpr unsigned kOwnKeys = 32;
inline constexpr std::size_t kBulkValueSize = 64;

std::string bulk_key(std::uint64_t index);
std::string bulk_value(std::uint64_t index, std::uint8_t generation);
/// The request as an array of bulk strings.
std::string resp_command(const std::vector<std::string>& words);

class KeyModel : public Model {
 public:
  /// Requires: connection < connections; `generations` outlives the model.
  KeyModel(Generations* generations, unsigned connection, unsigned connections);

  void begin(Work work) override;
  std::string next(Random& random) override;
  Answer answer(std::string_view bytes) override;

 private:
  struct OwnKey {
    bool known = false;
    std::optional<std::string> value;
  };
  struct Pending {
    std::string request;
    std::string expected;  // the reply's bytes; empty: any reply but an error
    bool stored = false;   // it reads what was stored, so that another reply means a loss
    std::optional<std::uint64_t> bulk;
    std::vector<unsigned> own;
  };

  std::string ask(Pending pending);
  std::string load_next();
  std::string verify_next();
  std::string mix_next(Random& random);
  std::string set_bulk(std::uint64_t index);
  std::string get_bulk(std::uint64_t index);
  std::string set_own(unsigned key, Random& random);
  std::string get_own(unsigned key);
  std::string own_name(unsigned key) const;
  void forget(const Pending& pending);

  Generations* const generations_;
  const unsigned connection_;
  const unsigned connections_;
  Work work_ = Work::kMix;
  std::uint64_t cursor_ = 0;
  unsigned own_cursor_ = 0;
  std::uint64_t writes_ = 0;
  std::vector<OwnKey> own_;
  std::deque<Pending> pending_;
};

}  // namespace baton::load
