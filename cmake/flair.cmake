# One call describes a module of src/: its sources by convention, its links by name.
#
#   flair_module(store DEPS flair::base flair::object LIBS PkgConfig::zstd)
#
# *_test.cc become the test program NAME_test, each *_bench.cc and *_fuzz.cc a
# program of its own; every other *.cc is the library flair::NAME. MAIN names
# files that hold a main() and stay out of the library. WITHOUT names folders that are modules of
# their own. PURE modules are compiled
# without exceptions. The sanitizer presets compile several files of a module as one, which
# halves their time; SEPARATE modules, whose files reuse each other's local names, stay out.

find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)

add_library(flair_options INTERFACE)
target_include_directories(flair_options INTERFACE ${CMAKE_SOURCE_DIR}/src)
# One rounding per operation: merges must give the same bits on every machine.
target_compile_options(flair_options INTERFACE -ffp-contract=off)
target_compile_options(flair_options INTERFACE
  $<$<AND:$<COMPILE_LANGUAGE:CXX>,$<BOOL:${FLAIR_DEVELOPER}>>:-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror>)
# False alarms: g++ 12 on inlined strings and variants (its bugs 105651 and 105562), and
# both compilers on designated initialisers, which name what differs from the default.
target_compile_options(flair_options INTERFACE
  $<$<AND:$<COMPILE_LANGUAGE:CXX>,$<BOOL:${FLAIR_DEVELOPER}>>:-Wno-missing-field-initializers>
  $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wno-restrict;-Wno-maybe-uninitialized>)
if(FLAIR_SANITIZE)
  target_compile_options(flair_options INTERFACE
    -fsanitize=${FLAIR_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer -g1)
  target_link_options(flair_options INTERFACE -fsanitize=${FLAIR_SANITIZE})
endif()
if(FLAIR_FUZZ)
  # What libFuzzer steers by. Not its tracing of comparisons, a call for each of them, which the
  # tests that share these libraries would pay for.
  target_compile_options(flair_options INTERFACE -fsanitize-coverage=inline-8bit-counters,pc-table)
endif()
target_link_libraries(flair_options INTERFACE Threads::Threads)

# Linked last: clang lets the last warning flag win.
add_library(flair_test_options INTERFACE)
# A test's own code runs once: more optimisation costs a bare machine more time than it saves.
target_compile_options(flair_test_options INTERFACE -Wno-sign-conversion -Wno-conversion -O1
  $<$<BOOL:${FLAIR_FUZZ}>:-fno-sanitize-coverage=inline-8bit-counters,pc-table>)

function(flair_module name)
  cmake_parse_arguments(ARG "PURE;SEPARATE" "" "DEPS;LIBS;TEST_DEPS;MAIN;WITHOUT" ${ARGN})
  file(GLOB all CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc ${CMAKE_CURRENT_SOURCE_DIR}/*/*.cc)
  foreach(folder IN LISTS ARG_WITHOUT)
    list(FILTER all EXCLUDE REGEX "^${CMAKE_CURRENT_SOURCE_DIR}/${folder}/")
  endforeach()
  set(tests ${all})
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  set(benches ${all})
  list(FILTER benches INCLUDE REGEX "_bench\\.cc$")
  set(fuzzers ${all})
  list(FILTER fuzzers INCLUDE REGEX "_fuzz\\.cc$")
  set(sources ${all})
  list(FILTER sources EXCLUDE REGEX "_(test|bench|fuzz)\\.cc$")
  foreach(main IN LISTS ARG_MAIN)
    list(REMOVE_ITEM sources ${CMAKE_CURRENT_SOURCE_DIR}/${main})
  endforeach()

  if(sources)
    add_library(flair_${name} STATIC ${sources})
    target_link_libraries(flair_${name} PUBLIC flair_options ${ARG_DEPS} ${ARG_LIBS})
    if(ARG_PURE)
      target_compile_options(flair_${name} PRIVATE $<$<COMPILE_LANGUAGE:CXX>:-fno-exceptions>)
    endif()
  else()
    add_library(flair_${name} INTERFACE)
    target_link_libraries(flair_${name} INTERFACE flair_options ${ARG_DEPS} ${ARG_LIBS})
  endif()
  add_library(flair::${name} ALIAS flair_${name})
  if(ARG_SEPARATE)
    set_target_properties(flair_${name} PROPERTIES UNITY_BUILD OFF)
  endif()

  if(NOT FLAIR_DEVELOPER)
    return()
  endif()
  if(tests)
    add_executable(${name}_test ${tests})
    target_link_libraries(${name}_test PRIVATE flair::${name} ${ARG_TEST_DEPS} GTest::gmock GTest::gtest_main
      flair_test_options)
    if(ARG_SEPARATE)
      set_target_properties(${name}_test PROPERTIES UNITY_BUILD OFF)
    endif()
    target_compile_definitions(${name}_test PRIVATE FLAIR_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
    add_test(NAME ${name} COMMAND ${name}_test)
  endif()
  if(NOT FLAIR_SANITIZE)
    foreach(bench IN LISTS benches)
      get_filename_component(stem ${bench} NAME_WE)
      add_executable(${name}_${stem} ${bench})
      target_link_libraries(${name}_${stem} PRIVATE flair::${name} benchmark::benchmark benchmark::benchmark_main)
    endforeach()
  endif()
  if(FLAIR_FUZZ)
    foreach(fuzz IN LISTS fuzzers)
      get_filename_component(stem ${fuzz} NAME_WE)
      add_executable(${name}_${stem} ${fuzz})
      target_link_libraries(${name}_${stem} PRIVATE flair::${name})
      target_link_options(${name}_${stem} PRIVATE -fsanitize=fuzzer)
    endforeach()
  endif()
endfunction()
