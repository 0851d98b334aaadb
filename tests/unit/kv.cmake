# The unit tests of kv's versions: each version runs those of what it can do.
include(${PROJECT_SOURCE_DIR}/tests/support/kv.cmake)
set(sources kv_resp_test.cc kv_commands_test.cc)
foreach(version 1.0.0 1.1.0 1.2.0)
  if(version STREQUAL 1.1.0)
    list(APPEND sources kv_expiry_test.cc)
  elseif(version STREQUAL 1.2.0)
    list(APPEND sources kv_lists_test.cc)
  endif()
  add_executable(kv_test_${version} ${sources})
  target_link_libraries(kv_test_${version} PRIVATE
    kv_engine_${version} GTest::gtest GTest::gmock GTest::gtest_main)
  gtest_discover_tests(kv_test_${version} TEST_PREFIX kv-${version}.
    DISCOVERY_TIMEOUT 60 PROPERTIES TIMEOUT 60)
endforeach()
