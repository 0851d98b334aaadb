// The implementation of Boost.JSON, which is header-only here: this one file compiles it.
#include <boost/json/src.hpp>
