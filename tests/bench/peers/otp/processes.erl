%% processes: Erlang/OTP's side of the benchmark of processes and messages.
%%
%% Each figure is one claim about the runtime, measured from a process that does nothing else; the same work as
%% in baton-bench. What idle processes cost is measured by emulators of its own, whose memory nobody has used before.
%%
%% Start: erl +P 5000000 -noshell -run processes main processes|idle_processes|idle_servers
-module(processes).
-export([main/1, echo/0]).

-define(ROUND_TRIPS, 2000000).
-define(PAIRS, 1000).
-define(ROUND_TRIPS_PER_PAIR, 2000).
-define(PRODUCERS, 4).
-define(MESSAGES_PER_PRODUCER, 1000000).
-define(RING, 1000).
-define(LAPS, 1000).
-define(SPAWNS, 1000000).
-define(CALLS, 1000000).
-define(IDLE_PROCESSES, 1000000).
-define(IDLE_SERVERS, 300000).

main(["processes"]) ->
    alone(fun() -> round_trips(?ROUND_TRIPS div 10) end), % warms up
    alone(fun ping_pong/0),
    alone(fun pairs/0),
    alone(fun fan_in/0, long_mailbox),
    alone(fun ring/0),
    alone(fun spawn_message_exit/0, long_mailbox),
    alone(fun() -> skynet(), skynet_figure() end),
    alone(fun gen_server_call/0),
    halt();
main(["idle_processes"]) ->
    alone(fun idle_processes/0, long_mailbox),
    halt();
main(["idle_servers"]) ->
    alone(fun idle_servers/0),
    halt().

%% Runs Work in a process of its own, whose heap is gone before the next one starts.
alone(Work) -> alone(Work, short_mailbox).

%% A small heap stays in the cache. But it is collected often, each time past all of a long mailbox; where there is
%% one, only a heap that is large from the start keeps the figures from being those of the collector.
alone(Work, Mailbox) ->
    Heap = case Mailbox of short_mailbox -> []; long_mailbox -> [{min_heap_size, 4000000}] end,
    {Pid, Monitor} = spawn_opt(Work, [monitor | Heap]),
    receive {'DOWN', Monitor, process, Pid, normal} -> ok end.

await(0, _Message) -> ok;
await(N, Message) -> receive Message -> await(N - 1, Message) end.

%% ---- Two processes, one message under way

ping_pong() ->
    {Time, _} = report:nanoseconds(fun() -> round_trips(?ROUND_TRIPS) end),
    report:figure(ping_pong_round_trip, Time / ?ROUND_TRIPS, ns).

round_trips(N) -> ask(spawn(?MODULE, echo, []), N).

ask(Echo, 0) -> Echo ! stop, ok;
ask(Echo, N) ->
    Echo ! {ping, self()},
    receive pong -> ask(Echo, N - 1) end.

echo() ->
    receive
        {ping, From} -> From ! pong, echo();
        stop -> ok
    end.

%% ---- Many such couples at once

pairs() ->
    Main = self(),
    Couple = fun() -> round_trips(?ROUND_TRIPS_PER_PAIR), Main ! finished end,
    {Time, _} = report:nanoseconds(fun() ->
        lists:foreach(fun(_) -> spawn(Couple) end, lists:seq(1, ?PAIRS)),
        await(?PAIRS, finished)
    end),
    report:figure(pairs_message_rate, 2.0e9 * ?PAIRS * ?ROUND_TRIPS_PER_PAIR / Time, per_s).

%% ---- Several producers, one consumer

fan_in() ->
    Main = self(),
    Total = ?PRODUCERS * ?MESSAGES_PER_PRODUCER,
    {Time, _} = report:nanoseconds(fun() ->
        lists:foreach(fun(_) -> spawn(fun() -> produce(Main, ?MESSAGES_PER_PRODUCER) end) end,
                      lists:seq(1, ?PRODUCERS)),
        consume(Total)
    end),
    report:figure(fan_in_message_rate, 1.0e9 * Total / Time, per_s).

produce(_Consumer, 0) -> ok;
produce(Consumer, N) -> Consumer ! {item, N}, produce(Consumer, N - 1).

consume(0) -> ok;
consume(N) -> receive {item, _} -> consume(N - 1) end.

%% ---- One token around a ring, of which this process is a member

ring() ->
    Main = self(),
    {Time, _} = report:nanoseconds(fun() -> lap(ring_before(Main, ?RING - 1), ?LAPS) end),
    report:figure(ring_message_rate, 1.0e9 * ?RING * ?LAPS / Time, per_s).

ring_before(Next, 0) -> Next;
ring_before(Next, N) -> ring_before(spawn(fun() -> pass_on(Next) end), N - 1).

pass_on(Next) -> receive Token -> Next ! Token, pass_on(Next) end.

lap(_First, 0) -> ok;
lap(First, N) -> First ! token, receive token -> lap(First, N - 1) end.

%% ---- Processes that send one message and end

spawn_message_exit() ->
    Main = self(),
    Short = fun() -> Main ! hello end,
    {Time, _} = report:nanoseconds(fun() ->
        [spawn(Short) || _ <- lists:seq(1, ?SPAWNS)],
        await(?SPAWNS, hello)
    end),
    report:figure(spawn_message_exit, Time / ?SPAWNS, ns).

%% ---- A tree of processes, ten wide, over a million leaves (which are messages), that adds them up

skynet() ->
    Main = self(),
    node_of_tree(Main, 0, 1000000),
    receive 499999500000 -> ok end.

skynet_figure() ->
    {Time, _} = report:nanoseconds(fun skynet/0),
    report:figure(skynet_1m, Time / 1.0e6, ms).

node_of_tree(Parent, Leaf, 1) -> Parent ! Leaf;
node_of_tree(Parent, First, Leaves) ->
    spawn(fun() ->
        Self = self(),
        Step = Leaves div 10,
        children(Self, First, Step, 10),
        Parent ! sum(10, 0)
    end).

children(_Parent, _First, _Step, 0) -> ok;
children(Parent, First, Step, N) ->
    node_of_tree(Parent, First, Step),
    children(Parent, First + Step, Step, N - 1).

sum(0, Sum) -> Sum;
sum(N, Sum) -> receive Number -> sum(N - 1, Sum + Number) end.

%% ---- gen_server

gen_server_call() ->
    {ok, Cell} = cell:start_link(0),
    {Time, _} = report:nanoseconds(fun() -> call(Cell, ?CALLS) end),
    report:figure(gen_server_call, Time / ?CALLS, ns).

call(_Cell, 0) -> ok;
call(Cell, N) -> gen_server:call(Cell, increment), call(Cell, N - 1).

%% ---- What an idle process costs, and how fast it is told to end and seen to have ended

idle_processes() ->
    Before = memory(),
    {Time, Pids} = report:nanoseconds(fun() ->
        [spawn(fun() -> receive stop -> ok end end) || _ <- lists:seq(1, ?IDLE_PROCESSES)]
    end),
    report:figure(idle_process_spawn, Time / ?IDLE_PROCESSES, ns),
    figures_of_memory(idle_process_memory, idle_process_rss, ?IDLE_PROCESSES, Before),
    {Stop, _} = report:nanoseconds(fun() -> lists:foreach(fun stop_and_see/1, Pids) end),
    report:figure(monitor_stop_down, Stop / ?IDLE_PROCESSES, ns).

stop_and_see(Pid) ->
    Monitor = monitor(process, Pid),
    Pid ! stop,
    receive {'DOWN', Monitor, process, Pid, _} -> ok end.

idle_servers() ->
    Before = memory(),
    {Time, _Pids} = report:nanoseconds(fun() ->
        [begin {ok, Pid} = cell:start_link(N), Pid end || N <- lists:seq(1, ?IDLE_SERVERS)]
    end),
    report:figure(idle_gen_server_start, Time / ?IDLE_SERVERS, ns),
    figures_of_memory(idle_gen_server_memory, idle_gen_server_rss, ?IDLE_SERVERS, Before).

%% What the emulator counts for its processes, and what the kernel counts for the emulator. Our own garbage is
%% not to count for theirs.
memory() ->
    erlang:garbage_collect(),
    {ok, Statm} = file:read_file("/proc/self/statm"),
    [_Size, Resident | _] = binary:split(Statm, <<" ">>, [global]),
    {erlang:memory(processes), binary_to_integer(Resident) * 4096}.

figures_of_memory(Counted, Resident, N, {CountedBefore, ResidentBefore}) ->
    {CountedAfter, ResidentAfter} = memory(),
    report:figure(Counted, (CountedAfter - CountedBefore) / N, bytes),
    report:figure(Resident, (ResidentAfter - ResidentBefore) / N, bytes).
