# The unit tests of web's versions, without the gen_servers: each version runs those of what it can do.
foreach(version 1.0.0 1.1.0 1.2.0)
  get_target_property(own_sources module_web_${version} SOURCES)
  list(FILTER own_sources EXCLUDE REGEX "/web\\.cc$|/baton_build\\.h$")
  set(sources web_json_test.cc web_orders_test.cc web_routes_test.cc)
  if(version STREQUAL 1.0.0)
    list(APPEND sources web_read_test.cc)
  else()
    list(APPEND sources web_notes_test.cc)
  endif()
  add_executable(web_test_${version} ${sources} ${own_sources})
  target_compile_definitions(web_test_${version} PRIVATE BATON_BUILD=for_tests)
  target_include_directories(web_test_${version} PRIVATE
    ${PROJECT_SOURCE_DIR}/modules/web/${version} ${PROJECT_SOURCE_DIR}/modules/web ${PROJECT_SOURCE_DIR}/host/include)
  target_link_libraries(web_test_${version} PRIVATE GTest::gtest GTest::gmock GTest::gtest_main)
  gtest_discover_tests(web_test_${version} TEST_PREFIX web-${version}.
    DISCOVERY_TIMEOUT 60 PROPERTIES TIMEOUT 60)
endforeach()
