# BLAKE3's official C implementation with its assembly kernels, as flair::blake3.
if(NOT FLAIR_BLAKE3_DIR)
  set(FLAIR_BLAKE3_DIR ${CMAKE_SOURCE_DIR}/build/vendor/blake3/c)  # where ./dev puts it
endif()
if(NOT EXISTS ${FLAIR_BLAKE3_DIR}/blake3.c)
  message(FATAL_ERROR "FLAIR_BLAKE3_DIR='${FLAIR_BLAKE3_DIR}' holds no blake3.c; build through ./dev build, which vendors it")
endif()
set(blake3_sources blake3.c blake3_dispatch.c blake3_portable.c)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  list(APPEND blake3_sources
    blake3_sse2_x86-64_unix.S blake3_sse41_x86-64_unix.S
    blake3_avx2_x86-64_unix.S blake3_avx512_x86-64_unix.S)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
  list(APPEND blake3_sources blake3_neon.c)
endif()
list(TRANSFORM blake3_sources PREPEND ${FLAIR_BLAKE3_DIR}/)
add_library(flair_blake3 STATIC ${blake3_sources})
target_include_directories(flair_blake3 SYSTEM PUBLIC ${FLAIR_BLAKE3_DIR})
add_library(flair::blake3 ALIAS flair_blake3)
