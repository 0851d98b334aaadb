# Compiles SOURCE and passes if the compiler refuses it with all that its "// expects:" lines say:
# expressions over the output, with quotes made plain.
file(STRINGS ${SOURCE} expectations REGEX "^// expects: ")
if(NOT expectations)
  message(FATAL_ERROR "${SOURCE} has no line \"// expects: \"")
endif()
execute_process(COMMAND ${COMPILER} -std=c++20 -fsyntax-only -fdiagnostics-color=never -fmessage-length=0
    -I${INCLUDE} ${SOURCE}
  RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
if(result EQUAL 0)
  message(FATAL_ERROR "the compiler takes ${SOURCE}")
endif()
string(REPLACE "‘" "'" output "${output}")
string(REPLACE "’" "'" output "${output}")
foreach(expected IN LISTS expectations)
  string(REGEX REPLACE "^// expects: " "" expected "${expected}")
  # A dot would match across lines; a sentence stands on one.
  string(REPLACE ".*" "[^\n]*" expected "${expected}")
  if(NOT output MATCHES "${expected}")
    message(FATAL_ERROR "expected: ${expected}\n\n${output}")
  endif()
endforeach()
