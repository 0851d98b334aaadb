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
add_test(NAME Package.BuildsAModuleOutOfTree
  COMMAND ${CMAKE_COMMAND} -DBUILD=${PROJECT_BINARY_DIR} -DSCRATCH=${CMAKE_CURRENT_BINARY_DIR}/package
    -DSOURCE=${CMAKE_CURRENT_SOURCE_DIR}/package -DGENERATOR=${CMAKE_GENERATOR}
    -P ${CMAKE_CURRENT_SOURCE_DIR}/package.cmake)
set_tests_properties(Package.BuildsAModuleOutOfTree PROPERTIES TIMEOUT 300)

# The host's reader of notes and descriptions agrees with what the SDK writes.
baton_test(sdk_note_test SOURCES sdk_note_test.cc LINKS baton_sdk baton_module)
