%% cell: a gen_server that counts, with a state of one number.
-module(cell).
-behaviour(gen_server).
-export([start_link/1, init/1, handle_call/3, handle_cast/2]).

start_link(Value) -> gen_server:start_link(?MODULE, Value, []).

init(Value) -> {ok, Value}.

handle_call(increment, _Caller, Value) ->
    Next = Value + 1,
    {reply, Next, Next}.

handle_cast(_Message, Value) -> {noreply, Value}.
