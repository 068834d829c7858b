// libcurl's functions, found in the library when first used: a program that talks to no cloud starts without it and the
// thirty libraries that it brings along. Its headers serve for types and constants alone.
#pragma once

#include <curl/curl.h>

namespace plume::cloud {

struct CurlApi {
  decltype(curl_global_init)* global_init;
  decltype(curl_version_info)* version_info;
  CURL* (*easy_init)();
  void (*easy_cleanup)(CURL*);
  void (*easy_reset)(CURL*);
  CURLcode (*easy_setopt)(CURL*, CURLoption, ...);
  CURLcode (*easy_getinfo)(CURL*, CURLINFO, ...);
  decltype(curl_easy_strerror)* easy_strerror;
  decltype(curl_slist_append)* slist_append;
  decltype(curl_slist_free_all)* slist_free_all;
  CURLM* (*multi_init)();
  CURLMcode (*multi_cleanup)(CURLM*);
  CURLMcode (*multi_setopt)(CURLM*, CURLMoption, ...);
  CURLMcode (*multi_add_handle)(CURLM*, CURL*);
  CURLMcode (*multi_remove_handle)(CURLM*, CURL*);
  CURLMcode (*multi_perform)(CURLM*, int*);
  CURLMcode (*multi_poll)(CURLM*, curl_waitfd*, unsigned, int, int*);
  CURLMcode (*multi_wakeup)(CURLM*);
  CURLMsg* (*multi_info_read)(CURLM*, int*);
};

// Opened and initialised by the first call; thread-safe. Throws environment_error, with what to install.
[[nodiscard]] const CurlApi& curl();

}  // namespace plume::cloud
