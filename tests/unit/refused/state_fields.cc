// expects: baton: RawPointer::field holds a raw pointer.*hold the value itself, or a baton::Pid
// expects: baton: UniquePointer::field holds a smart pointer or std::any.*hold the value itself
// expects: baton: SharedPointer::field holds a smart pointer or std::any
// expects: baton: AnyValue::field holds a smart pointer or std::any.*baton::TermValue
// expects: baton: Function::field holds a function.*hold an enum and switch on it
// expects: baton: FunctionPointer::field holds a function.*hold an enum and switch on it
// expects: baton: Reference::field holds a reference: hold the value itself
// expects: baton: StringView::field holds a view of memory that may be gone.*std::string
// expects: baton: TermView::field holds a view of memory that may be gone.*baton::TermValue
// expects: baton: Array::field holds a C array: hold a std::array
// expects: baton: Constant::field is const and cannot be moved: drop the const
// expects: baton: Enum::field holds an enum without a description: add BATON_ENUM
// expects: baton: Order::field holds a container with an order.*use the standard one
// expects: baton: Virtual::field holds a type with virtual functions.*std::variant of plain structs
// expects: baton: Forgotten::field holds a struct whose .* forgets a member.*name every member
// expects: baton: KeyedByStruct::field holds a set or map of structs.*with BATON_KEY
// expects: baton: KeyedInside::field holds a set or map of structs.*with BATON_KEY
// expects: baton: Undescribed::field holds a type that no .*: describe it with BATON_STATE
// expects: baton: Duration::field holds a type that no .*of a std::chrono type, hold its count
// expects: baton: Throwing::field may throw when it is move-assigned.*noexcept
#include <baton/state.h>

#include <any>
#include <chrono>
#include <functional>
#include <memory>

namespace sample {
struct Part {
  int a = 0;
  Part() = default;
  Part(Part&&) = default;
  Part& operator=(Part&&) noexcept(false) { return *this; }
};
}  // namespace sample
template <>
struct baton::Codec<sample::Part> : baton::codec::Immediate {};

namespace sample {

struct Throwing {
  Part field;
};
BATON_STATE(Throwing, field)

struct RawPointer {
  int* field = nullptr;
};
BATON_STATE(RawPointer, field)

struct UniquePointer {
  std::vector<std::unique_ptr<int>> field;
};
BATON_STATE(UniquePointer, field)

struct SharedPointer {
  std::shared_ptr<int> field;
};
BATON_STATE(SharedPointer, field)

struct AnyValue {
  std::any field;
};
BATON_STATE(AnyValue, field)

struct Function {
  std::map<int, std::function<void()>> field;
};
BATON_STATE(Function, field)

struct FunctionPointer {
  void (*field)() = nullptr;
};
BATON_STATE(FunctionPointer, field)

struct Reference {
  int& field;
};
BATON_STATE(Reference, field)

struct StringView {
  std::string_view field;
};
BATON_STATE(StringView, field)

struct TermView {
  std::optional<baton::Term> field;
};
BATON_STATE(TermView, field)

struct Array {
  int field[3] = {};
};
BATON_STATE(Array, field)

struct Constant {
  const int field = 1;
};
BATON_STATE(Constant, field)

enum class Colour { red };
struct Enum {
  std::optional<Colour> field;
};
BATON_STATE(Enum, field)

struct Order {
  std::map<int, int, std::greater<>> field;
};
BATON_STATE(Order, field)

struct Shape {
  virtual ~Shape() = default;
};
struct Virtual {
  Shape field;
};
BATON_STATE(Virtual, field)

struct Seat {
  std::int64_t row = 0;
};
BATON_MESSAGE(Seat, row)
inline bool operator<(const Seat& a, const Seat& b) { return b.row < a.row; }
struct KeyedByStruct {
  std::map<Seat, std::string> field;
};
BATON_STATE(KeyedByStruct, field)
struct KeyedInside {
  std::set<std::pair<std::int64_t, std::vector<Seat>>> field;
};
BATON_STATE(KeyedInside, field)

struct Item {
  int a = 0;
  std::string b;
};
BATON_DESCRIBE(Item, a)
struct Forgotten {
  std::vector<Item> field;
};
BATON_STATE(Forgotten, field)

struct Opaque {
  int a = 0;
};
struct Undescribed {
  Opaque field;
};
BATON_STATE(Undescribed, field)

struct Duration {
  std::chrono::milliseconds field{};
};
BATON_STATE(Duration, field)

}  // namespace sample
