# The kv engine of one version, without the gen_server over it, for tests that need no host.
foreach(version 1.0.0 1.1.0 1.2.0)
  set(folder ${PROJECT_SOURCE_DIR}/modules/kv/${version})
  get_target_property(sources module_kv_${version} SOURCES)
  # The modules proper get a tag over their sources there.
  list(FILTER sources EXCLUDE REGEX "/kv\\.cc$|/baton_build\\.h$")
  add_library(kv_engine_${version} STATIC ${sources})
  target_compile_definitions(kv_engine_${version} PUBLIC BATON_BUILD=for_tests)
  target_include_directories(kv_engine_${version} PUBLIC
    ${folder} ${PROJECT_SOURCE_DIR}/modules/kv ${PROJECT_SOURCE_DIR}/tests ${PROJECT_SOURCE_DIR}/host/include)
endforeach()
