%% hello: a web service on Cowboy that answers every request for / with the same line.
%%
%% Start: erl -noshell -pa .../cowboy/ebin .../cowlib/ebin .../ranch/ebin -run hello main PORT
-module(hello).
-export([main/1, init/2]).

main([Port]) ->
    {ok, _} = application:ensure_all_started(cowboy),
    Routes = cowboy_router:compile([{'_', [{"/", ?MODULE, none}]}]),
    Socket = [{ip, {127, 0, 0, 1}}, {port, list_to_integer(Port)}],
    {ok, _} = cowboy:start_clear(?MODULE, #{socket_opts => Socket},
                                 #{env => #{dispatch => Routes}, max_keepalive => infinity}).

init(Request, State) ->
    Headers = #{<<"content-type">> => <<"text/plain">>},
    {ok, cowboy_req:reply(200, Headers, <<"hello\n">>, Request), State}.
