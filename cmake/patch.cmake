# patch/: calls of the C library that yield inside fibers, for programs that use other people's blocking libraries.
#
# hawser::patch is linked whole, since nobody asks for it by name, and each of its functions is exported from the program,
# so that shared libraries, also those that are opened later, find it before the C library's. See patch/libc.h.
set(HAWSER_PATCHED_CALLS
    accept accept4 clock_nanosleep close connect dup2 dup3 epoll_pwait epoll_pwait2 epoll_wait getaddrinfo gethostbyaddr
    gethostbyaddr_r gethostbyname gethostbyname2 gethostbyname2_r gethostbyname_r getnameinfo nanosleep poll ppoll pselect
    read readv recv recvfrom recvmsg select send sendmsg sendto sleep usleep write writev
    __poll_chk __ppoll_chk __read_chk __recv_chk __recvfrom_chk)

file(GLOB sources CONFIGURE_DEPENDS patch/*.cpp)
add_library(hawser_patched_calls STATIC ${sources})
add_library(hawser::patched_calls ALIAS hawser_patched_calls)
set_target_properties(hawser_patched_calls PROPERTIES EXPORT_NAME patched_calls)
target_compile_features(hawser_patched_calls PUBLIC cxx_std_23)
# Fortified headers define inline what is defined here.
target_compile_options(hawser_patched_calls PRIVATE ${HAWSER_WARNINGS} -U_FORTIFY_SOURCE)
target_link_libraries(hawser_patched_calls PUBLIC hawser_net ${CMAKE_DL_LIBS})

add_library(hawser_patch INTERFACE)
add_library(hawser::patch ALIAS hawser_patch)
set_target_properties(hawser_patch PROPERTIES EXPORT_NAME patch)
# By the name that it has both here and where it is installed.
target_link_libraries(hawser_patch INTERFACE $<LINK_LIBRARY:WHOLE_ARCHIVE,hawser::patched_calls>)
list(TRANSFORM HAWSER_PATCHED_CALLS PREPEND "LINKER:--export-dynamic-symbol=" OUTPUT_VARIABLE exported)
target_link_options(hawser_patch INTERFACE ${exported})
set_property(GLOBAL APPEND PROPERTY HAWSER_FLOORS hawser_patched_calls hawser_patch)
