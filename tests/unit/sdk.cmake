# Code that the SDK must refuse to compile, with the sentences it must say: see the first lines of refused/*.cc.
file(GLOB refused CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/refused/*.cc)
foreach(source ${refused})
  get_filename_component(claim ${source} NAME_WE)
  add_test(NAME Refused.${claim} COMMAND ${CMAKE_COMMAND} -DCOMPILER=${CMAKE_CXX_COMPILER}
    -DINCLUDE=${PROJECT_SOURCE_DIR}/host/include -DSOURCE=${source}
    -P ${CMAKE_CURRENT_SOURCE_DIR}/refused.cmake)
  set_tests_properties(Refused.${claim} PROPERTIES TIMEOUT 300)
endforeach()

# What the built files of modules look like to the dynamic linker. Not run, and named as such, with a sanitizer, which
# gives them exports and writable memory of its own.
if(BATON_SANITIZE)
  add_test(NAME ModuleFile.HasOneExportANoteAndNoWritableMemory
    COMMAND ${CMAKE_COMMAND} -E echo "not run: a sanitizer adds exports and writable memory")
  set_tests_properties(ModuleFile.HasOneExportANoteAndNoWritableMemory PROPERTIES SKIP_REGULAR_EXPRESSION "^not run: ")
else()
  add_test(NAME ModuleFile.HasOneExportANoteAndNoWritableMemory
    COMMAND ${CMAKE_COMMAND} "-DFILES=$<TARGET_FILE:module_factorial_1.0.0>;$<TARGET_FILE:module_pingpong_1.0.0>;$<TARGET_FILE:module_plain_c_1.0.0>"
      -P ${CMAKE_CURRENT_SOURCE_DIR}/module_file.cmake)
endif()

# A module outside of this project, by the installed package.
function(baton_package_test name compiler)
  add_test(NAME Package.${name}
    COMMAND ${CMAKE_COMMAND} -DBUILD=${PROJECT_BINARY_DIR} -DSCRATCH=${CMAKE_CURRENT_BINARY_DIR}/package_${name}
      -DSOURCE=${CMAKE_CURRENT_SOURCE_DIR}/package -DGENERATOR=${CMAKE_GENERATOR} -DCXX=${compiler}
      -P ${CMAKE_CURRENT_SOURCE_DIR}/package.cmake)
  set_tests_properties(Package.${name} PROPERTIES TIMEOUT 300)
endfunction()
baton_package_test(BuildsAModuleOutOfTree ${CMAKE_CXX_COMPILER})

# And with the oldest clang that the SDK is for, where there is one.
find_program(BATON_CLANG NAMES clang++-14 clang++)
if(BATON_CLANG AND NOT BATON_SANITIZE)
  baton_package_test(BuildsWithClang ${BATON_CLANG})
  foreach(example factorial/1.0.0/factorial.cc pingpong/1.0.0/pingpong.cc)
    get_filename_component(name ${example} NAME_WE)
    add_test(NAME Package.ClangTakes_${name} COMMAND ${BATON_CLANG} -std=c++20 -fsyntax-only -Wall -Wextra -Wpedantic
      -Wshadow -Werror -isystem ${PROJECT_SOURCE_DIR}/host/include -DBATON_BUILD=b_1 ${PROJECT_SOURCE_DIR}/modules/${example})
  endforeach()
endif()

# The host's reader of notes and descriptions agrees with what the SDK writes.
baton_test(sdk_note_test SOURCES sdk_note_test.cc LINKS baton_sdk baton_module)
