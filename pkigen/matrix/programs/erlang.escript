%% Judges cases with Erlang/OTP's ssl and public_key: a client of a TLS 1.2 server that sends the certificates of a
%% case, and closes the connection before it would have to sign. The protocol is that of pkigen.matrix.line_protocol.
-module(erlang_judge).
-mode(compile).
-export([main/1, lookup/3, select/2, fresh_crl/2]).

main(["--version"]) ->
    _ = [application:load(Name) || Name <- [ssl, public_key]],
    Versions = maps:from_list([{Name, Version} || {Name, _, Version} <- application:loaded_applications()]),
    #{ssl := Ssl, public_key := PublicKey} = Versions,
    io:format("Erlang/OTP ~s, ssl ~s, public_key ~s~n", [erlang:system_info(otp_release), Ssl, PublicKey]);
main([]) ->
    ok = logger:set_primary_config(level, none),
    {ok, _} = application:ensure_all_started(ssl),
    ok = io:setopts([binary, {encoding, unicode}]),
    Options = [binary, {active, false}, {ip, {127, 0, 0, 1}}, {packet, raw}, {backlog, 16}],
    {ok, Listener} = gen_tcp:listen(0, Options),
    answer(Listener).

answer(Listener) ->
    case io:get_line("") of
        Line when is_binary(Line) ->
            Fields = string:split(string:trim(Line, trailing, "\n"), "\t", all),
            [Certificate, Chain, _, _, _, Host, _, Anchors, Crls | _] = Fields,
            io:put_chars([judge(Listener, Certificate, Chain, Host, paths(Anchors), paths(Crls)), "\n"]),
            answer(Listener);
        eof ->
            ok
    end.

paths(List) ->
    [Path || Path <- string:split(List, "\x1f", all), Path =/= <<>>].

judge(Listener, Certificate, Chain, Host, Anchors, Crls) ->
    try
        Sent = certificates(Certificate) ++ [One || Chain =/= <<>>, One <- certificates(Chain)],
        Trusted = [One || Path <- Anchors, One <- certificates(Path)],
        Name = case Host of <<>> -> disable; _ -> binary_to_list(Host) end,
        Options = [{cacerts, Trusted}, {server_name_indication, Name}],
        case connect(Listener, Sent, Options) of
            accepted ->
                Lists = [element(2, file:read_file(Path)) || Path <- Crls],
                [part("path", accepted), part("crl", connect(Listener, Sent, Options ++ with_crls(Lists)))];
            Rejected ->
                part("path", Rejected)
        end
    catch
        throw:Reason -> part("path", Reason)
    end.

part(Name, accepted) -> [Name, "\t1\t\t"];
part(Name, Reason) ->
    [Name, "\t0\t", [string:lexemes(Reason, "\t\r\n")], "\t"].

certificates(Path) ->
    {ok, Data} = file:read_file(Path),
    try [Der || {'Certificate', Der, not_encrypted} <- public_key:pem_decode(Data)] of
        [] -> throw("no certificate in the file");
        Certificates -> Certificates
    catch
        error:Reason -> throw(io_lib:format("~0tp", [Reason]))
    end.

with_crls(Lists) ->
    [{crl_check, true}, {crl_cache, {?MODULE, {Lists, []}}}].

%% Return whether a client accepts the certificates of a server.
connect(Listener, Sent, Options) ->
    {ok, Port} = inet:port(Listener),
    Server = spawn(fun() -> serve(Listener, Sent) end),
    Matching = [{match_fun, public_key:pkix_verify_hostname_match_fun(https)}],
    Fixed = [{verify, verify_peer}, {versions, ['tlsv1.2']}, {customize_hostname_check, Matching}],
    Result = ssl:connect({127, 0, 0, 1}, Port, Fixed ++ Options, 10000),
    %% It still waits for a client that rejected its options before it connected.
    exit(Server, kill),
    case Result of
        {error, closed} -> accepted;
        {error, {tls_alert, {_, Text}}} -> lists:last(string:split(string:trim(Text), "Fatal - "));
        {error, Reason} -> io_lib:format("~0tp", [Reason])
    end.

serve(Listener, Sent) ->
    {ok, Socket} = gen_tcp:accept(Listener),
    {ok, _} = gen_tcp:recv(Socket, 0),
    %% Version, random bytes, no session ID, TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, secure renegotiation.
    Hello = [<<3, 3>>, binary:copy(<<16#55>>, 32), <<0, 16#c0, 16#2f, 0, 0, 5, 16#ff, 1, 0, 1, 0>>],
    List = vector([vector(One) || One <- Sent]),
    ok = gen_tcp:send(Socket, records(iolist_to_binary([2, vector(Hello), 11, vector(List)]))),
    ok = gen_tcp:shutdown(Socket, write),
    gen_tcp:recv(Socket, 0),
    gen_tcp:close(Socket).

vector(Data) -> [<<(iolist_size(Data)):24>>, Data].

records(<<Part:16000/binary, Rest/binary>>) -> [record(Part) | records(Rest)];
records(Rest) -> [record(Rest)].

record(Part) -> [<<22, 3, 3, (byte_size(Part)):16>>, Part].

%% A cache of CRLs (ssl_crl_cache_api): every distribution point has the CRLs of the issuer.
lookup(_DistributionPoint, Issuer, Lists) -> select(Issuer, Lists).

%% For a certificate without distribution points, the values in the name of its issuer are not decoded.
select(Issuer, {Lists, _}) ->
    [List || List <- Lists, Name <- [public_key:pkix_crl_issuer(List), undecoded_issuer(List)], same(Issuer, Name)].

undecoded_issuer(List) ->
    {'CertificateList', Contents, _, _} = public_key:der_decode('CertificateList', List),
    element(4, Contents).

same(Name, Other) -> public_key:pkix_normalize_name(Name) =:= public_key:pkix_normalize_name(Other).

fresh_crl(_DistributionPoint, Crl) -> Crl.
