%% takeover: Erlang/OTP's side of the take-over benchmark.
%%
%% An application of N gen_servers below a simple_one_for_one supervisor is upgraded and downgraded by
%% release_handler while a client calls one of them every millisecond. Its state gains a field on the way up and
%% loses it on the way down. Beside it stand idle processes that have nothing to do with it, and further modules
%% that depend on it and are replaced with it.
%%
%% Start: erl +P 5000000 -noshell -run takeover main PROCESSES IDLE MODULES
-module(takeover).
-export([main/1]).

main(Arguments) ->
    [Processes, Idle, Modules] = [list_to_integer(A) || A <- Arguments],
    ok = logger:set_primary_config(level, none), % a report per process would be measured too
    Dependents = ["cells_helper_" ++ integer_to_list(N) || N <- lists:seq(1, Modules - 1)],
    [write_application(Version, Dependents) || Version <- ["1", "2"]],
    true = code:add_patha(ebin("1")),
    {ok, _} = application:ensure_all_started(sasl),
    ok = application:start(cells),
    [{module, _} = code:ensure_loaded(list_to_atom(D)) || D <- Dependents],
    [spawn(fun() -> receive stop -> ok end end) || _ <- lists:seq(1, Idle)],
    [First | _] = [start_cell(N) || N <- lists:seq(1, Processes)],
    Facts = [{processes, Processes}, {idle, Idle}, {modules, Modules}, {mode, atomic}],
    Client = spawn(fun() -> client(First, 0) end),
    timer:sleep(500),
    measure(Client, [{direction, upgrade} | Facts],
            fun() -> release_handler:upgrade_app(cells, directory("2")) end),
    measure(Client, [{direction, downgrade} | Facts],
            fun() -> release_handler:downgrade_app(cells, "1", directory("1")) end),
    halt().

start_cell(N) ->
    {ok, Pid} = supervisor:start_child(cells_sup, [N]),
    Pid.

measure(Client, Facts, Change) ->
    {Time, {ok, _}} = report:nanoseconds(Change),
    timer:sleep(200), % lets a call that was held up come back
    Client ! {longest, self()},
    Longest = receive {longest_was, L} -> L end,
    report:figure(takeover_total, Time / 1.0e6, ms, Facts),
    report:figure(takeover_longest_call, Longest / 1.0e6, ms, Facts).

%% Calls the cell for ever, and says on request how long the longest call since then was.
client(Cell, Longest) ->
    receive
        {longest, To} ->
            To ! {longest_was, Longest},
            client(Cell, 0)
    after 0 ->
        {Time, _} = report:nanoseconds(fun() -> gen_server:call(Cell, increment, infinity) end),
        timer:sleep(1),
        client(Cell, max(Longest, Time))
    end.

%% ---- The application, version 1 and 2, written, compiled and left as a directory each

directory(Version) -> filename:absname("cells-" ++ Version).
ebin(Version) -> filename:join(directory(Version), "ebin").

write_application(Version, Dependents) ->
    ok = filelib:ensure_dir(filename:join(ebin(Version), "any")),
    Modules = [list_to_atom(M) || M <- ["cells", "cells_sup", "cells_app" | Dependents]],
    compile(Version, "cells", cells(Version)),
    compile(Version, "cells_sup", supervisor_source()),
    compile(Version, "cells_app",
        "-behaviour(application).\n-export([start/2, stop/1]).\n"
        "start(_Type, _Arguments) -> cells_sup:start_link().\n"
        "stop(_State) -> ok.\n"),
    [compile(Version, D, "-export([version/0]).\nversion() -> " ++ Version ++ ".\n") || D <- Dependents],
    write_terms(Version, "cells.app",
        {application, cells,
         [{vsn, Version}, {description, "cells"}, {modules, Modules}, {registered, [cells_sup]},
          {applications, [kernel, stdlib]}, {mod, {cells_app, []}}]}),
    Atoms = [list_to_atom(D) || D <- Dependents],
    Instructions = [{update, cells, {advanced, []}, Atoms} | [{load_module, A} || A <- Atoms]],
    write_terms(Version, "cells.appup", {"2", [{"1", Instructions}], [{"1", Instructions}]}).

write_terms(Version, File, Term) ->
    ok = file:write_file(filename:join(ebin(Version), File), io_lib:format("~p.\n", [Term])).

compile(Version, Name, Body) ->
    Source = filename:join(ebin(Version), Name ++ ".erl"),
    ok = file:write_file(Source, ["-module(", Name, ").\n", Body]),
    {ok, _} = compile:file(Source, [{outdir, ebin(Version)}]).

supervisor_source() ->
    "-behaviour(supervisor).\n-export([start_link/0, init/1]).\n"
    "start_link() -> supervisor:start_link({local, ?MODULE}, ?MODULE, none).\n"
    "init(none) ->\n"
    "    Cell = #{id => cell, start => {cells, start_link, []}, modules => [cells]},\n"
    "    {ok, {#{strategy => simple_one_for_one}, [Cell]}}.\n".

cells("1") ->
    cells_head("1", "value, label") ++
    "code_change({down, _}, {state, Value, Label, _Hits}, _) -> {ok, {state, Value, Label}};\n"
    "code_change(_, State, _) -> {ok, State}.\n"
    "count(#state{value = Value} = State) -> State#state{value = Value + 1}.\n";
cells("2") ->
    cells_head("2", "value, label, hits = 0") ++
    "code_change({down, _}, {state, Value, Label, _Hits}, _) -> {ok, {state, Value, Label}};\n"
    "code_change(_, {state, Value, Label}, _) -> {ok, #state{value = Value, label = Label}}.\n"
    "count(#state{value = Value, hits = Hits} = State) -> State#state{value = Value + 1, hits = Hits + 1}.\n".

cells_head(Version, Fields) ->
    "-behaviour(gen_server).\n-vsn(\"" ++ Version ++ "\").\n"
    "-export([start_link/1, init/1, handle_call/3, handle_cast/2, code_change/3]).\n"
    "-record(state, {" ++ Fields ++ "}).\n"
    "start_link(Number) -> gen_server:start_link(?MODULE, Number, []).\n"
    "init(Number) -> {ok, #state{value = Number, label = Number}}.\n"
    "handle_call(increment, _Caller, State) -> New = count(State), {reply, New#state.value, New}.\n"
    "handle_cast(_Message, State) -> {noreply, State}.\n".
