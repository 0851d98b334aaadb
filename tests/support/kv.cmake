# The kv engine of one version, without the gen_server over it, for tests that need no host.
foreach(version 1.0.0 1.1.0 1.2.0)
  set(folder ${PROJECT_SOURCE_DIR}/modules/kv/${version})
  file(GLOB sources CONFIGURE_DEPENDS ${folder}/*.cc)
  list(REMOVE_ITEM sources ${folder}/kv.cc)
  add_library(kv_engine_${version} STATIC ${sources})
  # The modules proper get a tag over their sources here.
  target_compile_definitions(kv_engine_${version} PUBLIC BATON_BUILD=for_tests)
  target_include_directories(kv_engine_${version} PUBLIC
    ${folder} ${PROJECT_SOURCE_DIR}/tests ${PROJECT_SOURCE_DIR}/host/include)
endforeach()
