using System.Buffers;
using System.IO.Pipelines;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using MongoDB.Bson;
using Platform.Gateway.Access;
using Platform.Gateway.Backend;
using Platform.Gateway.Commands.Execution;
using Platform.Gateway.Connections;
using Platform.Gateway.Requests;
using Platform.Gateway.Sessions;
using Platform.Gateway.Sockets;
using Platform.Gateway.Telemetry;
using Platform.Gateway.Topology;
using Platform.Wire.Bson;
using Platform.Wire.Messages;
using Xunit;

namespace Platform.Tests.Gateway;

/// <summary>
/// Messages that are almost right, 200,000 of them, through the parser; what it takes, and a part of what it refuses, through the
/// connection and every command, in front of a backend that makes its answers up. Each costs at most its own connection.
/// <c>FUZZ_MESSAGES</c> sets another number.
/// </summary>
public sealed class FuzzTests
{
    private const int Seed = 20_261_124;
    private const int Workers = 2;

    // Of what the parser refuses every so many goes through a connection, too: exceptions take most of the test's time.
    private const int RefusedToConnections = 20;
    private const int SweptEvery = 100;
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);
    private static readonly string[] s_states = ["M0001", "M001C", "42501", "40001", "55P03", "57014", "XX000", "0A000", "M00CO"];

    private static int s_conflicts;

    private static int Messages => int.TryParse(Environment.GetEnvironmentVariable("FUZZ_MESSAGES"), out var asked) ? asked : 200_000;

    [Fact]
    public async Task Mutated_messages_harm_nothing_but_their_own_connection()
    {
        using var backend = new FakePostgres(Answer);
        await using var app = GatewayFixture.Build(
            FreePort.Find(),
            backend.ConnectionString,
            "--Gateway:OrphanedTransactionGrace=00:00:00.001",
            "--Logging:LogLevel:Default=Error",
            "--Logging:Console:LogLevel:Default=None");
        using var errors = new ErrorLog();
        app.Services.GetRequiredService<ILoggerFactory>().AddProvider(errors);
        app.Services.GetRequiredService<MemberState>().Found();

        // What is kept for good after the first messages (caches, pools) is no leak.
        await RunAsync(app.Services, Seed, 20_000);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var results =
            await Task.WhenAll(Enumerable.Range(1, Workers).Select(worker => Task.Run(() => RunAsync(app.Services, Seed + worker, Messages / Workers))));
        var sessions = app.Services.GetRequiredService<SessionStore>();
        // Sessions live for half an hour by design; a name that a client makes up may cost no more than a little. Tests beside this one use
        // memory as well, and give it back: what has leaked stays.
        long grown = 0;
        await Wait.UntilAsync(
            () => (grown = GC.GetTotalMemory(forceFullCollection: true) - before) <= (32L * 1024 * 1024) + (sessions.Count * 1024L),
            "the memory is free again",
            TestContext.Current.CancellationToken);

        var (refused, answered) = (results.Sum(r => r.Refused), results.Sum(r => r.Answered));
        TestContext.Current.SendDiagnosticMessage(
            $"{Messages} messages: {answered} answered, {refused} refused, heap {grown / 1024} KiB more, {sessions.Count} sessions");
        Assert.True(errors.Entries.IsEmpty, string.Join(Environment.NewLine, errors.Entries.DistinctBy(e => e[..Math.Min(e.Length, 90)]).Take(10)));
        // Both ends are reached: messages that are no messages, and commands that run.
        Assert.InRange(refused, Messages / 10, Messages);
        Assert.InRange(answered, Messages / 20, Messages);
    }

    private static User UserWith(string role) =>
        new("platform", "admin", [new RoleName(role, "admin")], RoleGraph.BuiltIn.RightsOf([new RoleName(role, "admin")]), Number: 1);

    private static async Task<(long Refused, long Answered)> RunAsync(IServiceProvider services, int seed, int count)
    {
        var mutator = new MessageMutator(seed, "fuzz");
        var random = new Random(seed);
        var executor = services.GetRequiredService<CommandExecutor>();
        var clock = services.GetRequiredService<LogicalClock>();
        var metrics = services.GetRequiredService<GatewayMetrics>();
        var sessions = services.GetRequiredService<SessionStore>();
        var busyWait = services.GetRequiredService<BusyWait>();
        var options = new PipeOptions(
            readerScheduler: PipeScheduler.Inline, writerScheduler: PipeScheduler.Inline, pauseWriterThreshold: 0, useSynchronizationContext: false);
        var (input, output) = (new Pipe(options), new Pipe(options));
        var (refused, answered) = (0L, 0L);
        for (var i = 0; i < count; i++)
        {
            var message = mutator.Next();
            if (!Parses(message) && i % RefusedToConnections != 0)
            {
                refused++;
                continue;
            }

            var id = ((long)seed << 32) + i;
            using var client = new ClientConnection(
                id, "fuzz", new Duplex(input.Reader, output.Writer), executor, clock, metrics, busyWait, socket: null, TimeProvider.System)
            {
                User = random.Next(4) == 0 ? null : UserWith(random.Next(2) == 0 ? BuiltInRoles.Root : "readAnyDatabase"),
            };
            input.Writer.Write(message);
            await input.Writer.CompleteAsync();
            try
            {
                await client.RunAsync(CancellationToken.None, CancellationToken.None).WaitAsync(s_patience);
            }
            catch (Exception e) when (e is ProtocolException or BsonFormatException)
            {
                Assert.NotEmpty(e.Message);
                refused++;
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"Message {i} of seed {seed} ended its connection with {e.GetType().Name}: {e.Message}", e);
            }

            // Transactions whose client is gone are undone in the background, or they would hold every connection to the backend.
            sessions.Orphan(id);
            if (i % SweptEvery == 0)
            {
                await sessions.SweepAsync(CancellationToken.None);
            }

            answered += await TakeRepliesAsync(output);
            await input.Reader.CompleteAsync();
            input.Reset();
            output.Reset();
        }

        return (refused, answered);
    }

    private static bool Parses(byte[] message)
    {
        if (message.Length < WireLimits.HeaderLength)
        {
            return false;
        }

        var header = MessageHeader.Read(message);
        if (header.Length <= WireLimits.HeaderLength || header.Length > message.Length)
        {
            return false;
        }

        try
        {
            ReadOnlyMemory<byte> whole = message.AsMemory(0, header.Length);
            if (header.OpCode == OpCode.Compressed)
            {
                (header, whole) = Compression.Unpack(header, whole, WireLimits.MaxMessageLength);
            }

            return Request.Parse(header, whole).Name.Length > 0;
        }
        catch (Exception e) when (e is ProtocolException or BsonFormatException)
        {
            return false;
        }
    }

    /// <summary>Checks that what was answered are whole messages with whole documents, and counts them.</summary>
    private static async Task<int> TakeRepliesAsync(Pipe output)
    {
        await output.Writer.CompleteAsync();
        var replies = 0;
        while (true)
        {
            var result = await output.Reader.ReadAsync();
            // Everything is there: the writer is done.
            ReadOnlyMemory<byte> rest = result.Buffer.ToArray();
            output.Reader.AdvanceTo(result.Buffer.End);
            for (; !rest.IsEmpty; replies++)
            {
                var header = MessageHeader.Read(rest.Span);
                Assert.InRange(header.Length, 26, rest.Length);
                Check(header, rest[..header.Length]);
                rest = rest[header.Length..];
            }

            if (result.IsCompleted)
            {
                await output.Reader.CompleteAsync();
                return replies;
            }
        }
    }

    private static void Check(MessageHeader header, ReadOnlyMemory<byte> message)
    {
        if (header.OpCode == OpCode.Compressed)
        {
            (header, message) = Compression.Unpack(header, message, WireLimits.MaxMessageLength);
        }

        var document = RawDocument.Take(message[(header.OpCode == OpCode.Reply ? 36 : 21)..]);
        Assert.True(document.TryGet("ok"u8, out var ok), "A reply has no 'ok'.");
        Assert.Contains(ok.Type, new[] { BsonType.Double, BsonType.Int32 });
    }

    /// <summary>A backend that has something of the right form for every statement, and fails now and then.</summary>
    private static byte[] Answer(FakeCall call)
    {
        var sum = call.Sql.Length;
        foreach (var parameter in call.Parameters)
        {
            sum = unchecked((sum * 31) + parameter.Length);
        }

        // A conflict is repeated, and answered in another way the next time.
        if (sum % 17 == 0 && (s_states[(uint)sum % s_states.Length] != SqlState.SerializationFailure || Interlocked.Increment(ref s_conflicts) % 3 == 0))
        {
            return FakePostgres.Error(s_states[(uint)sum % s_states.Length], "Index 'a_1' made up");
        }

        var ok = new BsonDocument { { "n", 1 }, { "ok", 1.0 } }.ToBson();
        var failed = new BsonDocument
        {
            { "ok", 1.0 },
            { "writeErrors", new BsonArray { new BsonDocument { { "index", 0 }, { "code", 319029277 }, { "errmsg", "Index 'a_1'" } } } },
        }.ToBson();
        var continuation = new BsonDocument { { "qp", true }, { "at", 5 } }.ToBson();
        byte[] yes = [1], no = [0];
        byte[]? id = [0, 0, 0, 0, 0, 0, 0, 5];
        byte[]? none = [0, 0, 0, 0, 0, 0, 0, 0];
        var page = new BsonDocument
        {
            { "cursor", new BsonDocument { { "id", 5L }, { "ns", "fuzz.c" }, { "firstBatch", new BsonArray() }, { "nextBatch", new BsonArray() } } },
            { "ok", 1.0 },
        }.ToBson();
        var row = call.Sql switch
        {
            var s when s.Contains("c.validator", StringComparison.Ordinal) => FakePostgres.Row(ok, null, id),
            var s when s.Contains("c.collection_name, o.options", StringComparison.Ordinal) => FakePostgres.Row("c"u8.ToArray(), ok),
            var s when s.Contains("view_definition", StringComparison.Ordinal) => FakePostgres.Row(id, null),
            var s when s.Contains("index_key::bytea", StringComparison.Ordinal) => FakePostgres.Row("a_1"u8.ToArray(), new BsonDocument("a", 1).ToBson()),
            var s when s.Contains("sum(coalesce", StringComparison.Ordinal) => FakePostgres.Row("fuzz"u8.ToArray(), id),
            var s when s.Contains("cursorid", StringComparison.Ordinal) => FakePostgres.Row(page, sum % 5 == 0 ? continuation : null, no, id),
            var s when s.Contains("get_more", StringComparison.Ordinal) => FakePostgres.Row(page, sum % 2 == 0 ? continuation : null),
            var s when s.Contains("p_result", StringComparison.Ordinal) => sum % 7 == 0
                ? FakePostgres.Row(failed, no, none)
                : FakePostgres.Row(ok, yes, sum % 3 == 0 ? id : none),
            var s when s.Contains("retry_outcomes", StringComparison.Ordinal) => [],
            var s when s.Contains("ok, requests", StringComparison.Ordinal) => FakePostgres.Row(ok, yes, null),
            var s when s.Contains("ok, complete", StringComparison.Ordinal) => FakePostgres.Row(ok, yes, yes),
            var s when s.StartsWith("EXPLAIN", StringComparison.Ordinal) => FakePostgres.Row("[{\"Plan\":{\"Node Type\":\"Seq Scan\"}}]"u8.ToArray()),
            var s when s.Contains("drop_collection", StringComparison.Ordinal) || s.Contains("pg_has_role", StringComparison.Ordinal) => FakePostgres.Row(yes),
            var s when s.Contains("drop_indexes", StringComparison.Ordinal) =>
                FakePostgres.Row([.. "BSONHEX"u8, .. System.Text.Encoding.ASCII.GetBytes(Convert.ToHexString(ok))]),
            var s when s.Contains("platform_gateway.secrets", StringComparison.Ordinal) => FakePostgres.Row(new byte[32], []),
            var s when s.Contains("scram_sha256_get", StringComparison.Ordinal) =>
                FakePostgres.Row(new BsonDocument { { "ok", 1 }, { "iterations", 4096 }, { "salt", "AAAA" } }.ToBson()),
            var s when s.Contains("authenticate_with", StringComparison.Ordinal) => FakePostgres.Row(new BsonDocument("ok", 0).ToBson()),
            var s when s.Contains("xact", StringComparison.Ordinal) => FakePostgres.Row("5"u8.ToArray()),
            var s when s.StartsWith("SELECT", StringComparison.Ordinal) => FakePostgres.Row(ok),
            _ => [],
        };
        return [.. row, .. FakePostgres.Complete];
    }

    private sealed class Duplex(PipeReader input, PipeWriter output) : IDuplexPipe
    {
        public PipeReader Input => input;

        public PipeWriter Output => output;
    }
}
