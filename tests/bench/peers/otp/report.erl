%% report: a figure as one line of JSON on standard output, and the clock that figures are taken with.
-module(report).
-export([figure/3, figure/4, nanoseconds/1]).

figure(Name, Value, Unit) -> figure(Name, Value, Unit, []).

%% Facts: what else the row says, as {Key, Value} with integers or atoms.
figure(Name, Value, Unit, Facts) ->
    More = [case is_atom(V) of
                true -> io_lib:format(",\"~s\":\"~s\"", [K, V]);
                false -> io_lib:format(",\"~s\":~w", [K, V])
            end || {K, V} <- Facts],
    io:format("{\"name\":\"~s\",\"value\":~w,\"unit\":\"~s\"~s}~n", [Name, Value, Unit, More]).

%% How long Work takes, and what it returns.
nanoseconds(Work) ->
    Begin = erlang:monotonic_time(),
    Result = Work(),
    {erlang:convert_time_unit(erlang:monotonic_time() - Begin, native, nanosecond), Result}.
