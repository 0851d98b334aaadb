# baton_add_module(NAME VERSION x.y.z SOURCES file... [LINKS target...] [STATEFUL_GLOBALS]
#                  [OUTPUT_DIRECTORY folder])
#
# The one way to build a module: a shared library with one exported symbol and nothing that a second
# version in the same process could be mixed up with; the host's gate refuses what has not. Makes the target
# module_NAME_VERSION and the file modules/NAME/VERSION/NAME.so below the build directory.
#
#   flag                                  without it
#   hidden, -fno-gnu-unique, version map  the dynamic linker merges statics of two versions
#   --exclude-libs,ALL                    a static library's symbols are exported
#   -nostartfiles, module.ld              the C runtime and the exception tables leave writable memory
#   -z relro, -z now                      relocated tables stay writable
#   build-id=sha1                         the host cannot tell the file it checked from the one it mapped
#
# STATEFUL_GLOBALS is for libraries that cannot do without writable globals: every version then has its own,
# no take-over moves them, and the module's note says so.
#
# BATON_BUILD, a tag over the sources and the SDK, is defined by a header that is included first.
#
# Versions may share files: #include "..." looks in the folders of the SOURCES, in their order, and then in the
# folder of the CMakeLists.txt. So a shared file gets the header of the version that is built if SOURCES names the
# version's own files first. The headers in all these folders are part of the tag.
#
# Works inside the project and from an installed package: find_package(baton).

function(baton_add_module name)
  cmake_parse_arguments(MODULE "STATEFUL_GLOBALS" "VERSION;OUTPUT_DIRECTORY" "SOURCES;LINKS" ${ARGN})
  if(MODULE_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "baton_add_module(${name}): unknown argument ${MODULE_UNPARSED_ARGUMENTS}")
  endif()
  if(NOT name MATCHES "^[a-z][a-z0-9_]*$")
    message(FATAL_ERROR "baton_add_module(${name}): a name is lower-case letters, digits and _")
  endif()
  if(NOT MODULE_VERSION MATCHES "^[0-9]+[.][0-9]+[.][0-9]+$")
    message(FATAL_ERROR "baton_add_module(${name}): VERSION must be x.y.z, not \"${MODULE_VERSION}\"")
  endif()
  if(NOT MODULE_SOURCES)
    message(FATAL_ERROR "baton_add_module(${name}): SOURCES is empty")
  endif()
  if(NOT MODULE_OUTPUT_DIRECTORY)
    set(MODULE_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/modules/${name}/${MODULE_VERSION})
  endif()
  set(here ${CMAKE_CURRENT_FUNCTION_LIST_DIR})
  get_filename_component(include ${here}/.. ABSOLUTE)
  if(NOT EXISTS ${include}/baton/abi.h)
    get_filename_component(include ${here}/../../../include ABSOLUTE)
    if(NOT EXISTS ${include}/baton/abi.h)  # lib/<architecture>/cmake/baton
      get_filename_component(include ${here}/../../../../include ABSOLUTE)
    endif()
  endif()
  set(target module_${name}_${MODULE_VERSION})

  # The tag: whatever can change what the module does is hashed when it changes.
  set(sources)
  set(folders)
  foreach(source IN LISTS MODULE_SOURCES)
    cmake_path(ABSOLUTE_PATH source BASE_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR} NORMALIZE)
    cmake_path(GET source PARENT_PATH folder)
    list(APPEND sources ${source})
    list(APPEND folders ${folder})
  endforeach()
  list(APPEND folders ${CMAKE_CURRENT_SOURCE_DIR})
  list(REMOVE_DUPLICATES folders)
  list(TRANSFORM folders APPEND /*.h OUTPUT_VARIABLE patterns)
  file(GLOB own_headers CONFIGURE_DEPENDS ${patterns})
  file(GLOB sdk_headers CONFIGURE_DEPENDS ${include}/baton/*.h)
  set(hashed ${sources} ${own_headers} ${sdk_headers})
  set(tag_header ${CMAKE_CURRENT_BINARY_DIR}/${target}/baton_build.h)
  add_custom_command(OUTPUT ${tag_header}
    COMMAND ${CMAKE_COMMAND} "-DNAME=${name}" "-DVERSION=${MODULE_VERSION}" "-DFILES=${hashed}"
      "-DOUTPUT=${tag_header}" -P ${here}/baton_build_tag.cmake
    DEPENDS ${hashed} ${here}/baton_build_tag.cmake
    COMMENT "Tagging module ${name} ${MODULE_VERSION}" VERBATIM)

  add_library(${target} MODULE ${sources} ${tag_header})
  target_include_directories(${target} PRIVATE ${include})
  target_link_libraries(${target} PRIVATE ${MODULE_LINKS})
  target_compile_features(${target} PRIVATE cxx_std_20 c_std_11)
  target_compile_definitions(${target} PRIVATE $<$<BOOL:${MODULE_STATEFUL_GLOBALS}>:BATON_STATEFUL_GLOBALS=1>)
  list(TRANSFORM folders PREPEND -iquote)
  target_compile_options(${target} PRIVATE
    ${folders} -include ${tag_header} -ffunction-sections -fdata-sections -fno-semantic-interposition
    $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-fno-gnu-unique>
    # As gcc does by itself: the host counts what a process holds, and is told its size.
    $<$<COMPILE_LANG_AND_ID:CXX,Clang>:-fsized-deallocation>)
  target_link_options(${target} PRIVATE
    -Wl,--version-script=${here}/module.map -Wl,--exclude-libs,ALL -Wl,--gc-sections -Wl,--no-undefined
    -Wl,--as-needed -Wl,--build-id=sha1 -Wl,-z,relro,-z,now -Wl,-z,noexecstack)
  if(NOT MODULE_STATEFUL_GLOBALS)
    target_link_options(${target} PRIVATE -nostartfiles -Wl,-T,${here}/module.ld)
  endif()
  set_target_properties(${target} PROPERTIES
    PREFIX "" SUFFIX ".so" OUTPUT_NAME ${name} NO_SONAME ON
    LIBRARY_OUTPUT_DIRECTORY ${MODULE_OUTPUT_DIRECTORY}
    LINK_DEPENDS "${here}/module.map;${here}/module.ld"
    C_VISIBILITY_PRESET hidden CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON
    CXX_EXTENSIONS OFF C_EXTENSIONS OFF POSITION_INDEPENDENT_CODE ON
    SKIP_BUILD_RPATH ON INSTALL_RPATH "")
endfunction()
