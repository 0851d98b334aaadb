# Turns the lists in imports/ into OUT, C++ to be included by imports.cc: a table for each list, kLists over all of them.
# A list is a symbol a line, sorted by bytes; a line that begins with # is for its reader. imports.cc checks the order.
# Run by the build: cmake -DOUT=FILE -DLISTS=FILE;FILE... -P import_tables.cmake
set(tables "")
set(all "")
set(count 0)
foreach(list ${LISTS})
  get_filename_component(name ${list} NAME)
  file(STRINGS ${list} symbols REGEX "^[^#]")
  list(TRANSFORM symbols REPLACE "(.+)" "    \"\\1\",\n")
  list(JOIN symbols "" symbols)
  string(APPEND tables "constexpr std::string_view kList${count}[] = {  // ${name}\n${symbols}};\n")
  string(APPEND all "    kList${count},\n")
  math(EXPR count "${count} + 1")
endforeach()
file(WRITE ${OUT} "${tables}constexpr std::span<const std::string_view> kLists[] = {\n${all}};\n")
