# What may be awaited, by every compiler at hand: see awaits/*.cc.
# Compiles SOURCE with COMPILER and the address sanitizer as PROGRAM and runs it. Where the compiler
# destroys temporaries twice (g++ before 13), it must instead refuse exactly the lines of SOURCE that
# are marked "// refused", each with a sentence of the SDK.
file(WRITE ${PROGRAM}.empty.cc "")
execute_process(COMMAND ${COMPILER} -dM -E -x c++ ${PROGRAM}.empty.cc OUTPUT_VARIABLE macros
  COMMAND_ERROR_IS_FATAL ANY)
set(is_safe TRUE)
if(macros MATCHES "#define __GNUC__ ([0-9]+)" AND CMAKE_MATCH_1 LESS 13
   AND NOT macros MATCHES "#define __clang__ ")
  set(is_safe FALSE)
endif()

set(marked)
set(number 0)
file(READ ${SOURCE} text)
string(REGEX REPLACE "[]\\;[]" "_" text "${text}")
string(REPLACE "\n" ";" lines "${text}")
foreach(line IN LISTS lines)
  math(EXPR number "${number} + 1")
  if(line MATCHES "// refused$")
    list(APPEND marked ${number})
  endif()
endforeach()

set(command ${COMPILER} -std=c++20 -O1 -g -fsanitize=address -Wall -Wextra -fdiagnostics-color=never
  -I${INCLUDE} -I${TESTS} ${SOURCE})
if(marked AND NOT is_safe)
  execute_process(COMMAND ${command} -fsyntax-only
    RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
  get_filename_component(name ${SOURCE} NAME)
  string(REGEX MATCHALL "${name}:[0-9]+:[0-9]+:   required from here[^\n]*\n[^\n]*baton: g.. before 13 destroys"
    refused "${output}")
  list(TRANSFORM refused REPLACE "^[^:]*:([0-9]+):.*" "\\1")
  string(REGEX MATCHALL "[0-9] error: |: error: " errors "${output}")
  list(LENGTH errors count)
  list(LENGTH marked expected)
  if(NOT refused STREQUAL marked OR NOT count EQUAL expected)
    message(FATAL_ERROR "marked are lines ${marked}, refused ${refused} by ${count} errors\n\n${output}")
  endif()
else()
  execute_process(COMMAND ${command} -o ${PROGRAM} RESULT_VARIABLE result ERROR_VARIABLE output)
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "${output}")
  endif()
  execute_process(COMMAND ${PROGRAM} RESULT_VARIABLE result ERROR_VARIABLE output)
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "${result}\n${output}")
  endif()
  message("${output}")
endif()
