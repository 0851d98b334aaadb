#include "module/gate.h"

#include "module/imports.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <iterator>

namespace baton::module {
namespace {

using testing::HasSubstr;

std::vector<char> read_all(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  EXPECT_TRUE(in.good()) << path;
  return {std::istreambuf_iterator<char>(in), {}};
}
std::vector<char> read_module(const std::string& name) {
  return read_all(BATON_GATE_MODULES "/" + name + ".so");
}
// One that baton_add_module() built.
std::vector<char> read_newcomer(const std::string& what) {
  const std::string name = "newcomer_" + what;
  return read_all(BATON_MODULES "/" + name + "/1.0.0/" + name + ".so");
}

Result<ModuleFacts> judge(std::vector<char> bytes, const GateRules& rules = {}) {
  BATON_ASSIGN(ElfFile file, ElfFile::parse(std::move(bytes), "m.so"));
  return gate(file, rules);
}
Result<ModuleFacts> judge(const std::string& name, const GateRules& rules = {}) {
  return judge(read_module(name), rules);
}

template <class T>
T& at(std::vector<char>& bytes, std::size_t offset) {
  EXPECT_LE(offset + sizeof(T), bytes.size());
  return *reinterpret_cast<T*>(bytes.data() + offset);
}

Elf64_Phdr& program_header(std::vector<char>& bytes, std::uint32_t type) {
  const auto& header = at<Elf64_Ehdr>(bytes, 0);
  for (std::size_t i = 0; i < header.e_phnum; ++i)
    if (auto& p = at<Elf64_Phdr>(bytes, header.e_phoff + i * sizeof(Elf64_Phdr)); p.p_type == type)
      return p;
  ADD_FAILURE() << "no program header of type " << type;
  return at<Elf64_Phdr>(bytes, header.e_phoff);
}

// What a refusal must say: which rule, which symbol (or header field), and what to do.
struct Refusal {
  const char* module;
  const char* rule;
  const char* symbol;
  const char* cure;
};

void PrintTo(const Refusal& refusal, std::ostream* out) { *out << refusal.module; }

class EveryRule : public testing::TestWithParam<Refusal> {};

TEST_P(EveryRule, RefusesNamingRuleSymbolAndCure) {
  const Refusal& expected = GetParam();

  const auto judged = judge(expected.module);

  ASSERT_FALSE(judged.ok());
  EXPECT_EQ(judged.error().code(), Code::kRefused);
  const std::string& message = judged.error().message();
  EXPECT_THAT(message, HasSubstr("m.so: refused by rule " + std::string(expected.rule) + ": "));
  EXPECT_THAT(message, HasSubstr(expected.symbol));
  const std::size_t cure = message.find("; cure: ");
  ASSERT_NE(cure, message.npos) << message;
  EXPECT_THAT(message.substr(cure), HasSubstr(expected.cure));
}

constexpr Refusal kRefusals[] = {
    {"note_missing", "note", ".note.baton", "BATON_MODULE"},
    {"note_second", "note", "two notes", "one source file"},
    {"note_malformed", "note", "line 5: unknown word \"colour\"", "BATON_NOTE"},
    {"abi_major", "abi", "2.0", "rebuild"},
    {"abi_minor", "abi", "1.99", "upgrade the host"},
    {"build_id", "build-id", "no build id", "--build-id"},
    {"unique", "unique-symbols", "Shared<int>::seen", "-fno-gnu-unique"},
    {"thread_local", "thread-local", "per_thread", "state"},
    {"thread_atexit", "thread-local", "__cxa_thread_atexit_impl@GLIBC_2.18", "state"},
    {"writable_global", "writable-globals", "requests_seen", "stateful_globals"},
    {"writable_stripped", "writable-globals", ".symtab", "--strip-debug"},
    {"constructor", "constructors", "runs_before_init", "init and fini"},
    {"constructor_without_variable", "constructors", "_GLOBAL__sub_I_", "stateful_globals"},
    {"indirect_function", "indirect-functions", "chosen", "__builtin_cpu_supports"},
    {"init_section", "constructors", "DT_INIT", ".init"},
    {"init_option", "constructors", "DT_INIT", "-init"},
    {"fini_section", "constructors", "DT_FINI", ".fini"},
    {"nodelete", "nodelete", "DF_1_NODELETE", "-z nodelete"},
    {"textrel", "textrel", "DT_TEXTREL", "-fPIC"},
    {"executable_stack", "executable-stack", "PT_GNU_STACK", "noexecstack"},
    {"rpath", "rpath", "DT_RPATH /opt/lib", "-rpath"},
    {"runpath", "rpath", "DT_RUNPATH /opt/lib", "-rpath"},
    {"dependency", "dependencies", "libgate_private.so", "statically"},
    {"export", "exports", "leaked_function", "version script"},
    {"no_entry", "exports", "baton_module_entry is not exported", "BATON_MODULE"},
    {"import_fork", "imports", "fork@GLIBC_2.2.5", "spawn a process"},
    {"import_thread", "imports", "std::thread (", "spawn a process"},
};
std::string camel_case(const char* text) {
  std::string name;
  for (const char* c = text; *c != 0; ++c)
    if (*c != '_') name += name.empty() || c[-1] == '_' ? static_cast<char>(std::toupper(*c)) : *c;
  return name;
}
INSTANTIATE_TEST_SUITE_P(Gate, EveryRule, testing::ValuesIn(kRefusals),
                         [](const auto& refusal) { return camel_case(refusal.param.module); });

// What newcomers write first, in modules that baton_add_module() builds: it did not link, for want
// of __dso_handle, or was refused with names of the library's insides and a cure for something
// else. Each builds now, and the refusal names what was written.
class WhatANewcomerWrites : public testing::TestWithParam<Refusal> {};

TEST_P(WhatANewcomerWrites, BuildsAndIsRefusedByItsNameWithItsCure) {
  const Refusal& expected = GetParam();

  const auto judged = judge(read_newcomer(expected.module));

  ASSERT_FALSE(judged.ok());
  const std::string& message = judged.error().message();
  EXPECT_THAT(message,
              HasSubstr("refused by rule " + std::string(expected.rule) + ": " + expected.symbol));
  const std::size_t cure = message.find("; cure: ");
  ASSERT_NE(cure, message.npos) << message;
  EXPECT_THAT(message.substr(cure), HasSubstr(expected.cure));
}

constexpr Refusal kNewcomers[] = {
    {"static_object", "writable-globals", "newcomer::greeting would be", "constexpr"},
    {"static_in_function", "writable-globals", "newcomer::table()::words", "constexpr std::array"},
    {"static_in_archive", "writable-globals", "calls in archive.cc would be", "STATEFUL_GLOBALS"},
    {"iostream", "writable-globals", "<iostream> (", "log_info()"},
    {"fstream", "imports", "std::ifstream (", "config<T>()"},
    {"regex", "writable-globals", "std::regex (", "regcomp()"},
    {"thread_local", "thread-local", "newcomer::seen: thread-local data", "state"},
    {"thread", "imports", "std::thread (", "spawn a process"},
    {"async", "thread-local", "std::async, std::promise or std::call_once (", "spawn a process"},
    {"atexit", "imports", "std::atexit or the destructor of a static object (", "fini"},
    {"boost_json", "writable-globals", "Boost.JSON (", "STATEFUL_GLOBALS"},
};
INSTANTIATE_TEST_SUITE_P(Gate, WhatANewcomerWrites, testing::ValuesIn(kNewcomers),
                         [](const auto& refusal) { return camel_case(refusal.param.module); });

TEST(Gate, AcceptsWhatItsCureForBoostJsonSays) {
  const auto facts = judge(read_newcomer("boost_json_stateful"));
  EXPECT_TRUE(facts.ok()) << facts.error().message();
}

TEST(Gate, AcceptsAModuleInPlainC) {
  const auto facts = judge("good");

  ASSERT_TRUE(facts.ok()) << facts.error().message();
  EXPECT_EQ(facts->note.module, "counter");
  EXPECT_EQ(facts->note.version, "1.0.0");
  EXPECT_EQ(facts->build_id.size(), 40u);
  ASSERT_EQ(facts->note.behaviours.size(), 1u);
  EXPECT_EQ(facts->note.behaviours[0].schema->fields[0].name, "value");
}

TEST(Gate, AcceptsWhatModulesOrdinarilyUseOfTheStandardLibrary) {
  const auto facts = judge("ordinary");
  EXPECT_TRUE(facts.ok()) << facts.error().message();
}

TEST(Gate, AcceptsWritableGlobalsThatTheNoteDeclares) {
  const auto facts = judge("stateful");
  ASSERT_TRUE(facts.ok()) << facts.error().message();
  EXPECT_TRUE(facts->note.stateful_globals);
}

TEST(Gate, AcceptsInitialisersOfVariablesInAModuleThatDeclaresGlobals) {
  EXPECT_TRUE(judge("constructor_declared").ok())
      << judge("constructor_declared").error().message();
}

TEST(Gate, RefusesAPreinitArray) {
  // The linker makes none for a library, so one is written over the count of relative relocations.
  auto bytes = read_module("good");
  const auto dynamic = program_header(bytes, PT_DYNAMIC);
  bool found = false;
  for (std::size_t i = 0; i < dynamic.p_filesz / sizeof(Elf64_Dyn) && !found; ++i) {
    auto& entry = at<Elf64_Dyn>(bytes, dynamic.p_offset + i * sizeof(Elf64_Dyn));
    found = entry.d_tag == DT_RELACOUNT;
    if (found) entry.d_tag = DT_PREINIT_ARRAYSZ;
  }
  ASSERT_TRUE(found);

  const auto judged = judge(std::move(bytes));

  ASSERT_FALSE(judged.ok());
  EXPECT_THAT(judged.error().message(), HasSubstr("rule constructors: DT_PREINIT_ARRAY"));
}

TEST(Gate, RefusesTheFileOfAnotherBuildThanTheManifestPromises) {
  GateRules rules;
  rules.build_id = judge("good")->build_id;
  EXPECT_TRUE(judge("good", rules).ok());

  const auto judged = judge("good_2", rules);

  ASSERT_FALSE(judged.ok());
  EXPECT_THAT(judged.error().message(), HasSubstr("rule build-id"));
  EXPECT_THAT(judged.error().message(), HasSubstr(rules.build_id));
  EXPECT_THAT(judged.error().message(), HasSubstr("cure: pack the release again"));
}

TEST(Gate, AcceptsAnOlderAbiMinorThanTheHosts) {
  GateRules rules;
  rules.abi.minor = BATON_ABI_MINOR + 1;
  EXPECT_TRUE(judge("good", rules).ok());
}

TEST(Gate, SeesAnIncrementOfTheNoteAbiBeforeALineItDoesNotKnow) {
  GateRules older;
  older.abi = {0, 9};
  const auto judged = judge("note_malformed", older);
  ASSERT_FALSE(judged.ok());
  EXPECT_THAT(judged.error().message(), HasSubstr("rule abi"));
}

TEST(Gate, TreatsAMissingStackHeaderAsAnExecutableStack) {
  auto bytes = read_module("good");
  program_header(bytes, PT_GNU_STACK).p_type = PT_NULL;
  const auto judged = judge(std::move(bytes));
  ASSERT_FALSE(judged.ok());
  EXPECT_THAT(judged.error().message(),
              HasSubstr("rule executable-stack: PT_GNU_STACK is missing"));
}

TEST(Gate, RefusesASegmentThatIsWritableAndExecutable) {
  auto bytes = read_module("stateful");
  const auto& header = at<Elf64_Ehdr>(bytes, 0);
  for (std::size_t i = 0; i < header.e_phnum; ++i)
    if (auto& p = at<Elf64_Phdr>(bytes, header.e_phoff + i * sizeof(Elf64_Phdr));
        p.p_type == PT_LOAD && (p.p_flags & PF_W))
      p.p_flags |= PF_X;
  const auto judged = judge(std::move(bytes));
  ASSERT_FALSE(judged.ok());
  EXPECT_THAT(judged.error().message(), HasSubstr("rule executable-stack: PT_LOAD"));
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
TEST(Gate, RefusesWritableBytesWithoutAName) {
  const auto judged = judge("unnamed_global");
  ASSERT_FALSE(judged.ok());
  EXPECT_THAT(judged.error().message(), HasSubstr("rule writable-globals"));
  EXPECT_THAT(judged.error().message(), HasSubstr("belong to no symbol"));
}
#endif

TEST(Gate, AcceptsAnInstrumentedModuleOnlyInAHostThatIsInstrumented) {
  GateRules plain, instrumented;
  plain.allow_sanitizers = false;
  instrumented.allow_sanitizers = true;

  EXPECT_TRUE(judge("import_asan", instrumented).ok())
      << judge("import_asan", instrumented).error().message();
  const auto judged = judge("import_asan", plain);
  ASSERT_FALSE(judged.ok());
  // An instrumented build's own variables without names break an earlier rule.
  if (!kHostIsSanitized) {
    EXPECT_THAT(judged.error().message(), HasSubstr("cure: build without -fsanitize"));
  }
  EXPECT_FALSE(judge("import_fork", instrumented).ok());
}

TEST(Imports, AllowEachSymbolThatALineOfTheListsNames) {
  for (const char* list : {"libc.txt", "libgcc_s.txt", "libm.txt", "libstdc++.txt"}) {
    std::ifstream lines(std::string(BATON_IMPORT_LISTS) + "/" + list);
    std::size_t symbols = 0;
    for (std::string line; std::getline(lines, line);) {
      const bool is_comment = line.starts_with('#');
      EXPECT_EQ(is_allowed_import(line), !is_comment) << list << ": " << line;
      symbols += is_comment ? 0 : 1;
    }
    EXPECT_GT(symbols, 100u) << list;
  }
}

TEST(Imports, KeepOutWhatRunsBlocksOrChangesBehindTheHost) {
  for (const char* name : {"pthread_create",
                           "dlopen",
                           "dlsym",
                           "fork",
                           "execve",
                           "system",
                           "sigaction",
                           "signal",
                           "raise",
                           "exit",
                           "_exit",
                           "atexit",
                           "on_exit",
                           "mmap",
                           "mprotect",
                           "setenv",
                           "getenv",
                           "setlocale",
                           "socket",
                           "open",
                           "fopen",
                           "printf",
                           "puts",
                           "sleep",
                           "nanosleep",
                           "__tls_get_addr",
                           "__cxa_thread_atexit",
                           "_ZSt4cout",
                           "_ZSt13set_terminatePFvvE",
                           "pthread_cond_wait",
                           "syscall",
                           "ptrace",
                           "fesetround"})
    EXPECT_FALSE(is_allowed_import(name)) << name;
  for (const char* name :
       {"malloc", "memcpy", "snprintf", "sin", "_Znwm", "_ZdlPv", "__cxa_throw", "_Unwind_Resume",
        "__divti3", "_ZSt17__throw_bad_allocv", "pthread_mutex_lock", "clock_gettime",
        "__cxa_finalize", "__gmon_start__"})
    EXPECT_TRUE(is_allowed_import(name)) << name;
}

TEST(Imports, EveryRefusedFamilyHasItsOwnCure) {
  EXPECT_THAT(std::string(import_cure("pthread_create")), HasSubstr("spawn a process"));
  EXPECT_THAT(std::string(import_cure("dlopen")), HasSubstr("statically"));
  EXPECT_THAT(std::string(import_cure("nanosleep")), HasSubstr("timer"));
  EXPECT_THAT(std::string(import_cure("getenv")), HasSubstr("config"));
  EXPECT_THAT(std::string(import_cure("sigaction")), HasSubstr("signals"));
  EXPECT_THAT(std::string(import_cure("puts")), HasSubstr("host->log"));
  EXPECT_THAT(std::string(import_cure("deflateInit_")), HasSubstr("statically"));
}

}  // namespace
}  // namespace baton::module
