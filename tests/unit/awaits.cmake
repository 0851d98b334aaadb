# Which temporaries may stand in an expression with co_await, with every C++ compiler at hand.
set(compilers ${CMAKE_CXX_COMPILER})
foreach(name g++-11 g++-12 g++-13 g++-14 g++-15 clang++-14 clang++-15 clang++-16 clang++-17 clang++-18 clang++-19)
  find_program(BATON_COMPILER_${name} ${name})
  if(BATON_COMPILER_${name})
    list(APPEND compilers ${BATON_COMPILER_${name}})
  endif()
endforeach()
set(seen)
foreach(compiler IN LISTS compilers)
  file(REAL_PATH ${compiler} real)  # only to know it again: clang++ is clang by another name
  if(NOT real IN_LIST seen)
    list(APPEND seen ${real})
    get_filename_component(name ${compiler} NAME)
    foreach(source taught temporaries)
      add_test(NAME Awaits.${source}.${name} COMMAND ${CMAKE_COMMAND} -DCOMPILER=${compiler}
        -DINCLUDE=${PROJECT_SOURCE_DIR}/host/include -DTESTS=${PROJECT_SOURCE_DIR}/tests
        -DSOURCE=${CMAKE_CURRENT_SOURCE_DIR}/awaits/${source}.cc
        -DPROGRAM=${CMAKE_CURRENT_BINARY_DIR}/awaits_${source}_${name}
        -P ${CMAKE_CURRENT_SOURCE_DIR}/awaits/compile.cmake)
      set_tests_properties(Awaits.${source}.${name} PROPERTIES TIMEOUT 300)
    endforeach()
  endif()
endforeach()
