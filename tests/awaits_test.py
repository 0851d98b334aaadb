"""What g++ before 13 destroys twice stands in no statement that awaits: not in what the SDK teaches, nor in any module.

The SDK's awaiting functions refuse such a temporary themselves (host/include/baton/temporary.h), where it is passed to
them. Here it is shown that each of them is tried, and the text of all coroutines is read for what the SDK cannot see: a
temporary that is passed to a task of one's own, or made elsewhere in the statement.

What this reading cannot find: a type with something to destroy behind an alias of a plain name, a macro that makes the
temporary, and one made in a statement that awaits by a macro only.

Run by ctest; by hand: python3 tests/awaits_test.py
"""

import os
import re
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SDK = os.path.join(ROOT, "host", "include", "baton")
TRIED = os.path.join("tests", "unit", "awaits")
# Where users' code stands, or what they are taught. What earlier SDKs were is left as it was.
READ = ("README.md", "host", "modules", "releases", "tools", "tests")
LEFT_OUT = (TRIED, os.path.join("tests", "formats", "sdk_"))

# Names that await for the functions below, and that nobody else calls.
INSIDE = {"request", "receive_as", "get_return_object"}
# What a struct may be made of for its temporaries to have nothing to destroy.
PLAIN = re.compile(r"(?:std::)?(?:u?int\d*(?:_t)?|size_t|bool|char|double|float|milliseconds|nanoseconds)|"
                   r"(?:std::chrono::|std::suspend_)\w+|(?:baton::)?(?:Atom|Caller|Pid|Ref|ServerRef)")

COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
TEXT = re.compile(r'R"(\w*)\(.*?\)\1"|"(?:[^"\\\n]|\\.)*"|(?<![0-9a-fA-F])\'(?:[^\'\\\n]|\\.)+\'', re.DOTALL)
DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\n\\]|\\.)*", re.MULTILINE | re.DOTALL)
TOKEN = re.compile(r"[A-Za-z_]\w*|\d[\w.']*|::|->|&&|\S")


def contents(path):
    with open(os.path.join(ROOT, path), encoding="utf-8", errors="replace") as file:
        return file.read()


def bare(text):
    """Code without comments, directives and what stands in quotes; each line stays where it was."""
    def blank(found):
        return "\n" * found[0].count("\n")

    text = TEXT.sub(lambda found: '""' + blank(found), COMMENT.sub(blank, text))
    return DIRECTIVE.sub(blank, text)


def tokens_of(text):
    """(token, line), from line 1."""
    line, at = 1, 0
    for found in TOKEN.finditer(text):
        line += text.count("\n", at, found.start())
        at = found.start()
        yield found[0], line


def matching(tokens, at):
    """Where what opens there is closed; the last token if it never is."""
    pairs = {"(": ")", "[": "]", "{": "}"}
    depth = 0
    for i in range(at, len(tokens)):
        if tokens[i][0] in pairs:
            depth += 1
        elif tokens[i][0] in pairs.values():
            depth -= 1
            if depth == 0:
                return i
    return len(tokens) - 1


def opens_block(tokens, at):
    """Whether this { begins statements or members, and no value."""
    i = at - 1
    while i >= 0 and tokens[i][0] in ("const", "noexcept", "override", "mutable", "final"):
        i -= 1
    if i < 0 or tokens[i][0] in (")", ";", "{", "}", "]", ":", "else", "do", "try"):
        return True
    # A name, a namespace or a type that a function returns: look at what it belongs to.
    while i >= 0 and re.fullmatch(r"[\w:<>*&,]|\w+|::|&&", tokens[i][0]):
        if tokens[i][0] in ("struct", "class", "enum", "union", "namespace"):
            return True
        i -= 1
    return i >= 0 and tokens[i][0] == "->"


def statements(tokens):
    """Each full expression as the list of its tokens; a function's or a lambda's body is not part of the one around it."""
    found, now = [], []
    i = 0
    while i < len(tokens):
        word = tokens[i][0]
        if word == "{" and opens_block(tokens, i):
            end = matching(tokens, i)
            found += statements(tokens[i + 1:end])
            if depth_of(now) == 0:
                found.append(now)
                now = []
            i = end + 1
            continue
        if word == ";":
            found.append(now)
            now = []
        else:
            now.append(tokens[i])
        i += 1
    return found + [now]


def depth_of(tokens):
    words = [word for word, _ in tokens]
    return sum(words.count(each) for each in "([{") - sum(words.count(each) for each in ")]}")


def type_before(tokens, at):
    """The name of the type that is made by the bracket there, qualified as it stands; empty if there is none."""
    i = at - 1
    if i >= 0 and tokens[i][0] == ">":
        depth = 0
        while i >= 0:
            depth += {">": 1, "<": -1}.get(tokens[i][0], 0)
            i -= 1
            if depth == 0:
                break
    name = ""
    while i >= 0 and re.fullmatch(r"[A-Za-z_]\w*|::", tokens[i][0]) and tokens[i][0] not in ("return", "co_return"):
        if name and (name[0] == ":") == (tokens[i][0] == "::"):
            break
        name = tokens[i][0] + name
        i -= 1
    return name


def structs_of(text):
    """Whether a temporary of it has nothing to destroy, by the name of each struct that is defined in bare code."""
    plain = {}
    for found in re.finditer(r"\bstruct (\w+)[^;{()]*\{", text):
        end, depth = found.end(), 1
        while depth and end < len(text):
            depth += {"{": 1, "}": -1}.get(text[end], 0)
            end += 1
        plain[found[1]] = "(" not in text[found.end():end] and all(
            PLAIN.fullmatch(member.split()[0]) or member.split()[0] in ("using", "static", "enum")
            for member in re.split(r";", text[found.end():end - 1]) if member.strip())
    return plain


def destroyed_twice(text, known=()):
    """The lines of temporaries with something to destroy, in statements that await; `known`: structs_of other files."""
    text = bare(text)
    plain = dict(known) | structs_of(text)
    lines = []
    for statement in statements(list(tokens_of(text))):
        words = [word for word, _ in statement]
        if "co_await" not in words:
            continue
        for i, (word, line) in enumerate(statement):
            if word == "{":
                name = type_before(statement, i)
                bad = not (plain.get(name) or (name and PLAIN.fullmatch(name)))
            elif word == "(":
                bad = plain.get(type_before(statement, i)) is False
            elif word == "[" and (i == 0 or not re.fullmatch(r"[\w)\]>]+|\"", words[i - 1]) or words[i - 1] == "return"):
                captured = words[i + 1:matching(statement, i)]
                bad = captures_by_value(captured)
            else:
                continue
            if bad:
                lines.append(line)
    return sorted(set(lines))


def captures_by_value(words):
    return any(not re.fullmatch(r"&( \w+)?|this", each.strip()) for each in " ".join(words).split(",") if each.strip())


def files_with_coroutines():
    for top in READ:
        path = os.path.join(ROOT, top)
        for directory, folders, names in os.walk(path) if os.path.isdir(path) else [(ROOT, [], [top])]:
            folders[:] = [each for each in folders if not each.startswith((".", "build", "__"))]
            for name in sorted(names):
                file = os.path.relpath(os.path.join(directory, name), ROOT)
                if not file.startswith(LEFT_OUT) and name.endswith((".cc", ".h", ".md", ".txt", ".yaml", ".in")) \
                        and "co_await" in contents(file):
                    yield file


def structs_beside(file):
    """structs_of the headers in its folder and the one above, where a module's are."""
    folder = os.path.dirname(file)
    known = {}
    for each in (os.path.dirname(folder), folder):
        for name in sorted(os.listdir(os.path.join(ROOT, each))):
            if name.endswith(".h"):
                known |= structs_of(bare(contents(os.path.join(each, name))))
    return known


def code_of(file):
    """What a compiler would see of it; of a text for people, the blocks of C++, where they stand."""
    text = contents(file)
    if not file.endswith(".md"):
        return text
    is_code = False
    lines = []
    for line in text.split("\n"):
        if line.lstrip().startswith("```"):
            is_code = not is_code
            lines.append("")
        else:
            lines.append(line if is_code else "")
    return "\n".join(lines)


def awaiting_functions():
    """The names of the SDK's functions whose results are awaited."""
    code = "\n".join(bare(contents(os.path.join(SDK, each))) for each in sorted(os.listdir(SDK)))
    # All classes stand at the beginning of a line. A frame's own end is awaited by the compiler alone.
    awaited = {found[1] for found in re.finditer(r"^(?:class|struct) (?:\[\[\w+\]\] )?(\w+)[^;{}()]*\{", code, re.MULTILINE)
               if "await_ready" in code[found.end():code.find("\n}", found.end())]} - {"Frame"}
    awaited |= {found[1] for found in re.finditer(
        rf"^(?:class|struct) (\w+)\s*:\s*(?:public |private )?(?:\w+::)*(?:{'|'.join(awaited)})\b", code, re.MULTILINE)}
    names, before = set(), None
    functions = []
    for found in re.finditer(r"\b(auto|(?:\w+::)*(\w+)(?:<[^;{}()]*>)?)\s+(?:Self::)?(\w+)\s*\([^;{}]*\)[^;{}()]*"
                             r"(?:\{|;)", code):
        end, depth = found.end(), 1
        while found[0].endswith("{") and depth and end < len(code):
            depth += {"{": 1, "}": -1}.get(code[end], 0)
            end += 1
        functions.append((found[1], found[2], found[3], code[found.end():end]))
    while names != before:
        before = set(names)
        for returned, kind, name, body in functions:
            makes = "|".join(awaited | names)
            if kind in awaited or (returned == "auto" and
                                   re.search(rf"\breturn (?:\w+(?:::|\.|->))*(?:{makes})\s*[<(]", body)):
                names.add(name)
    return awaited, names


class Awaits(unittest.TestCase):
    def test_nothing_that_is_destroyed_twice_is_taught_or_used(self):
        files = list(files_with_coroutines())
        self.assertIn(os.path.join("modules", "web", "1.1.0", "web.cc"), files)
        self.assertEqual([f"{file}:{line}" for file in files
                          for line in destroyed_twice(code_of(file), structs_beside(file))], [])

    def test_every_line_that_the_compiler_refuses_is_found(self):
        text = contents(os.path.join(TRIED, "temporaries.cc"))
        marked = [i for i, line in enumerate(text.split("\n"), 1) if line.endswith("// refused")]
        # Of one a type says it, and no text.
        by_type = [i for i in marked if "std::function" in text.split("\n")[i - 1]]
        self.assertGreater(len(marked), 15)
        self.assertEqual(sorted(destroyed_twice(text) + by_type), marked)
        self.assertEqual(destroyed_twice(contents(os.path.join(TRIED, "taught.cc"))), [])

    def test_what_no_function_of_the_sdk_can_see_is_found(self):
        head = "struct Ask {\n std::string text;\n};\nstruct Tick {\n std::int64_t n = 0;\n};\n"
        for bad in ("co_await own(self, Ask{text});", "co_await own(self, Ask(text));", "co_await own(self, {text});",
                    "co_return Ask{co_await call<Get>(to)};", "if (co_await own(Ask{text})) return;",
                    "co_await own([=] { return text; });", "co_await own([text, &other] { return text; });",
                    "co_await own([] { return 1; }, Ask{text});", "f(co_await one(self), std::optional<Ask>{text});"):
            with self.subTest(bad):
                self.assertEqual(destroyed_twice(head + "Task<> f() {\n" + bad + "\n}\n"), [8])
        for good in ("co_await own(self, Tick{1});", "Ask ask{text}; co_await own(self, ask);",
                     "co_await own([&] { return Ask{text}; });", "co_await own(a[1]);", "// co_await f(Ask{text});\n",
                     "const auto f = [text] { return 1; }; co_await own(f);", "co_await call<Ask>(to, text);",
                     "if (const auto* x = get(y)) { co_await own(*x); } else { f(Ask{text}); }"):
            with self.subTest(good):
                self.assertEqual(destroyed_twice(head + "Task<> f() {\n" + good + "\n}\n"), [])

    def test_every_awaiting_function_of_the_sdk_is_tried(self):
        awaited, names = awaiting_functions()
        # So that a reading which finds nothing any more is noticed.
        self.assertLessEqual({"Task", "Call", "Receive", "Start"}, awaited)
        self.assertLessEqual({"call", "call_for", "receive", "receive_for", "start_child"}, names)
        for file in ("temporaries.cc", "taught.cc"):
            text = contents(os.path.join(TRIED, file))
            lines = [line for line in text.split("\n") if file == "taught.cc" or line.endswith("// refused")]
            tried = set(re.findall(r"\bself\.(\w+)[<(]", "\n".join(lines)))
            self.assertEqual(sorted(names - INSIDE - tried), [], f"not in {TRIED}/{file}")


if __name__ == "__main__":
    unittest.main()
