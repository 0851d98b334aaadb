# Each version of kv, behind a plain socket loop, compared with a real Redis.
add_executable(differential differential.cc)
foreach(version 1.0.0 1.1.0 1.2.0)
  add_executable(kv_standalone_${version} ${PROJECT_SOURCE_DIR}/tests/support/kv_standalone.cc)
  target_link_libraries(kv_standalone_${version} PRIVATE kv_engine_${version})
  add_test(NAME KvDifferential.${version} COMMAND differential
    --level=${version} --program=$<TARGET_FILE:kv_standalone_${version}>)
  set_tests_properties(KvDifferential.${version} PROPERTIES TIMEOUT 120 SKIP_RETURN_CODE 77)
endforeach()
