using System.Text;
using Platform.Gateway.Backend;
using Platform.Gateway.Postgres;
using Platform.Gateway.Sockets;
using Xunit;

namespace Platform.Tests.Unit.Gateway;

/// <summary>The connection to PostgreSQL: what it sends, what it reads however that is cut, and how it ends.</summary>
public sealed class BackendConnectionTests
{
    private static readonly Statement s_prepared = new("SELECT a", [ParameterType.Text, ParameterType.Bytes], Prepared: true);
    private static readonly Statement s_once = new("SELECT b", [ParameterType.Int64, ParameterType.Boolean, ParameterType.Double, ParameterType.Int64Array]);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(7)]
    public async Task A_row_is_read_however_its_bytes_arrive(int piece)
    {
        using var server = new FakePostgres(call => [
            .. FakePostgres.Message('N', "SNOTICE\0\0"u8),
            .. FakePostgres.Row(call.Parameters[1], null, [1], [0, 0, 0, 0, 0, 0, 1, 2]), .. FakePostgres.Complete]) { Piece = piece };
        await using var connection = await OpenAsync(server);
        for (var i = 0; i < 3; i++)
        {
            byte[] document = [.. Encoding.UTF8.GetBytes("document"), (byte)i];
            await using var reader = await connection.Command(s_prepared).With(0, "db").With<ReadOnlyMemory<byte>>(1, document).ReadAsync(Cancel);
            Assert.True(await reader.ReadAsync(Cancel));
            Assert.Equal(document, reader.GetBytes(0).ToArray());
            Assert.Equal((true, true, 258L), (reader.IsDBNull(1), reader.GetBoolean(2), reader.GetInt64(3)));
            Assert.Throws<InvalidCastException>(() => reader.GetInt64(1));
            Assert.Throws<InvalidCastException>(() => reader.GetInt64(2));
            Assert.Throws<ArgumentOutOfRangeException>(() => reader.GetBoolean(4));
            Assert.False(await reader.ReadAsync(Cancel));
        }

        Assert.Single(server.Parsed);
    }

    [Fact]
    public async Task Parameters_of_every_type_are_sent_in_binary()
    {
        FakeCall? seen = null;
        using var server = new FakePostgres(call =>
        {
            seen = call;
            return FakePostgres.Complete;
        });
        await using var connection = await OpenAsync(server);
        await connection.Command(s_once).With(0, 258L).With(1, true).With(2, 1.5).With(3, new long[] { 3, 4 }).RunAsync(Cancel);
        Assert.Equal(
            ["0000000000000102", "01", "3FF8000000000000", "00000001000000000000001400000002000000010000000800000000000000030000000800000000000000" + "04"],
            seen!.Parameters.Select(Convert.ToHexString));
        Assert.Throws<InvalidCastException>(() => connection.Command(s_once).With(0, "text"));
        Assert.Null(await connection.Command(s_prepared).With(0, "ä").With<ReadOnlyMemory<byte>>(1, default).SingleAsync<byte[]>(Cancel));
        Assert.Equal(["C3A4", ""], seen.Parameters.Select(Convert.ToHexString));
    }

    [Theory]
    [InlineData(10)]
    [InlineData(16 * 1024)]
    [InlineData(5_000_000)]
    public async Task Documents_of_any_size_go_both_ways_and_outlive_what_follows(int size)
    {
        using var server = new FakePostgres(call => [.. FakePostgres.Row(call.Parameters[1]), .. FakePostgres.Complete]);
        await using var connection = await OpenAsync(server);
        var first = new byte[size];
        new Random(size).NextBytes(first);
        var kept = await EchoAsync(first);
        for (var i = 0; i < 3; i++)
        {
            var other = new byte[size + 1000 * i];
            new Random(i).NextBytes(other);
            Assert.Equal(other, (await EchoAsync(other)).ToArray());
        }

        Assert.Equal(first, kept.ToArray());

        async Task<ReadOnlyMemory<byte>> EchoAsync(byte[] document)
        {
            await using var reader = await connection.Command(s_prepared).With(0, "db").With<ReadOnlyMemory<byte>>(1, document).ReadAsync(Cancel);
            Assert.True(await reader.ReadAsync(Cancel));
            return reader.GetBytes(0);
        }
    }

    [Fact]
    public async Task A_failed_statement_throws_and_leaves_the_connection_usable()
    {
        var fail = true;
        using var server = new FakePostgres(_ => fail ? FakePostgres.Error("M0001", "bad value") : [.. FakePostgres.Row([5]), .. FakePostgres.Complete]);
        await using var connection = await OpenAsync(server);
        var command = connection.Command(s_prepared).With(0, "db").With<ReadOnlyMemory<byte>>(1, new byte[] { 1 });
        var error = await Assert.ThrowsAsync<PostgresException>(() => command.SingleAsync<byte[]>(Cancel).AsTask());
        Assert.Equal(("M0001", "bad value"), (error.SqlState, error.MessageText));
        fail = false;
        Assert.Equal([5], await command.With<ReadOnlyMemory<byte>>(1, new byte[] { 1 }).SingleAsync<byte[]>(Cancel));
        Assert.True(connection.IsOpen);
    }

    [Fact]
    public async Task A_failure_after_the_rows_as_of_a_commit_is_thrown_before_the_result_counts()
    {
        using var server = new FakePostgres(_ => [.. FakePostgres.Row([5]), .. FakePostgres.Complete, .. FakePostgres.Error("40001", "could not serialize")]);
        await using var connection = await OpenAsync(server);
        var error = await Assert.ThrowsAsync<PostgresException>(
            () => connection.Command(s_prepared).With(0, "db").With<ReadOnlyMemory<byte>>(1, default).SingleAsync<byte[]>(Cancel).AsTask());
        Assert.Equal("40001", error.SqlState);
        Assert.True(connection.IsOpen);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    public async Task What_commits_wait_for_is_said_with_the_next_command_and_only_when_it_changes(int piece)
    {
        var said = new List<string>();
        using var server = new FakePostgres(call =>
        {
            said.Add(call.Sql);
            return [.. call.Sql.StartsWith("SET", StringComparison.Ordinal) ? [] : FakePostgres.Row([1]), .. FakePostgres.Complete];
        }) { Piece = piece };
        await using var connection = await OpenAsync(server);
        var expected = new List<string>();
        var current = CommitWait.Majority;
        var random = new Random(4);
        for (var i = 0; i < 200; i++)
        {
            var next = (CommitWait)random.Next(4);
            var ofTransaction = random.Next(4) == 0;
            if (next != CommitWait.Any && next != current)
            {
                expected.Add($"SET {(ofTransaction ? "LOCAL " : "")}synchronous_commit = {next switch
                {
                    CommitWait.Journal => "local",
                    CommitWait.Nothing => "off",
                    _ => "on",
                }}");
                current = ofTransaction ? current : next;
            }

            if (ofTransaction)
            {
                connection.UseInTransaction(next);
            }
            else
            {
                connection.Use(next);
            }

            expected.Add(i % 3 == 0 ? "SELECT 1" : "SELECT a");
            if (i % 3 == 0)
            {
                await connection.RunAsync("SELECT 1", Cancel);
            }
            else
            {
                Assert.Equal([1], await connection.Command(s_prepared).With(0, "db").With<ReadOnlyMemory<byte>>(1, default).SingleAsync<byte[]>(Cancel));
            }
        }

        Assert.Equal(expected, said);
    }

    [Fact]
    public async Task A_setting_that_is_refused_ends_the_connection_before_anything_is_acknowledged()
    {
        using var server = new FakePostgres(call =>
            call.Sql.StartsWith("SET", StringComparison.Ordinal) ? FakePostgres.Error("42501", "no") : [.. FakePostgres.Row([1]), .. FakePostgres.Complete]);
        await using var connection = await OpenAsync(server);
        connection.Use(CommitWait.Journal);
        await Assert.ThrowsAnyAsync<IOException>(() => connection.RunAsync("SELECT 1", Cancel).AsTask());
        Assert.False(connection.IsOpen);
    }

    [Fact]
    public async Task A_commit_whose_wait_was_ended_is_told_from_every_other_warning()
    {
        const string ended = "SWARNING\0VWARNING\0C01000\0Mcanceling wait for synchronous replication due to user request\0";
        byte[] notice = [];
        using var server = new FakePostgres(_ => [.. FakePostgres.Row([1]), .. FakePostgres.Complete, .. notice]);
        await using var connection = await OpenAsync(server);
        foreach (var (text, isEnded) in new[]
        {
            ("", false),
            ($"{ended}Fsyncrep.c\0L300\0RSyncRepWaitForLSN\0\0", true),
            ("RSyncRepWaitForLSN\0SWARNUNG\0C01000\0Mauf Deutsch\0\0", true),
            ($"{ended}Rother\0\0", false),
            ("C01004\0RSyncRepWaitForLSN\0\0", false),
            ("C01000", false),
            ($"{ended}RSyncRepWaitForLSNs\0\0", false),
        })
        {
            notice = text.Length == 0 ? [] : FakePostgres.Message('N', Encoding.UTF8.GetBytes(text));
            connection.IsUnreplicated = false;
            await connection.RunAsync("COMMIT", Cancel);
            Assert.True(connection.IsUnreplicated == isEnded, text);
            connection.IsUnreplicated = false;
            Assert.Equal([1], await connection.Command(s_prepared).With(0, "db").With<ReadOnlyMemory<byte>>(1, default).SingleAsync<byte[]>(Cancel));
            Assert.True(connection.IsUnreplicated == isEnded, text);
        }
    }

    [Fact]
    public async Task A_fatal_error_and_a_closed_connection_end_it()
    {
        using var server = new FakePostgres(_ => FakePostgres.Error("57P01", "terminating connection", "FATAL"));
        var connection = await OpenAsync(server);
        var error = await Assert.ThrowsAsync<PostgresException>(() => connection.RunAsync("SELECT 1", Cancel).AsTask());
        Assert.Equal("57P01", error.SqlState);
        Assert.False(connection.IsOpen);
        await Assert.ThrowsAsync<IOException>(() => connection.RunAsync("SELECT 1", Cancel).AsTask());
        await connection.DisposeAsync();

        var other = await OpenAsync(server);
        server.Dispose();
        await Assert.ThrowsAnyAsync<IOException>(() => other.RunAsync("SELECT 1", Cancel).AsTask());
        Assert.False(other.IsOpen);
        await other.DisposeAsync();
    }

    [Theory]
    [InlineData("FF")]
    [InlineData("44FFFFFFFF")]
    [InlineData("4400000003")]
    [InlineData("447FFFFFFF00")]
    public async Task Nonsense_from_the_server_closes_the_connection(string hex)
    {
        using var server = new FakePostgres(_ => [.. Convert.FromHexString(hex), .. new byte[64]]);
        await using var connection = await OpenAsync(server);
        await Assert.ThrowsAnyAsync<IOException>(
            () => connection.Command(s_prepared).With(0, "db").With<ReadOnlyMemory<byte>>(1, default).SingleAsync<byte[]>(Cancel).AsTask());
        Assert.False(connection.IsOpen);
    }

    [Fact]
    public async Task A_cancelled_command_is_ended_in_the_server_and_the_connection_is_used_again()
    {
        FakePostgres? self = null;
        using var server = new FakePostgres(call =>
        {
            if (!call.Sql.Contains("sleep", StringComparison.Ordinal))
            {
                return FakePostgres.Complete;
            }

            // As a real server: it runs until somebody asks for its end.
            var (process, secret) = self!.Cancellations.Take();
            Assert.Equal((call.Process, call.Process * 7), (process, secret));
            return FakePostgres.Error("57014", "canceling statement due to user request");
        });
        self = server;
        await using var connection = await OpenAsync(server);
        using var cancel = new CancellationTokenSource();
        var running = connection.RunAsync("sleep", cancel.Token);
        Assert.False(running.IsCompleted);
        await cancel.CancelAsync();
        await Assert.ThrowsAsync<OperationCanceledException>(() => running.AsTask());
        await connection.RunAsync("SELECT 1", Cancel);
        Assert.True(connection.IsOpen);
    }

    [Fact]
    public async Task A_command_that_the_server_does_not_end_after_a_cancellation_costs_its_connection()
    {
        using var never = new ManualResetEventSlim();
        using var server = new FakePostgres(_ =>
        {
            never.Wait();
            return FakePostgres.Complete;
        });
        var connection = await OpenAsync(server);
        using var cancel = new CancellationTokenSource();
        var running = connection.RunAsync("sleep", cancel.Token);
        await cancel.CancelAsync();
        await Assert.ThrowsAsync<OperationCanceledException>(() => running.AsTask());
        Assert.False(connection.IsOpen);
        never.Set();
        await connection.DisposeAsync();
    }

    [Fact]
    public async Task The_login_is_by_SCRAM_and_a_wrong_password_is_refused()
    {
        using var server = new FakePostgres(_ => FakePostgres.Complete) { Password = "sécret" };
        await using (var connection = await OpenAsync(server, ";Password=sécret"))
        {
            await connection.RunAsync("SELECT 1", Cancel);
        }

        var wrong = await Assert.ThrowsAsync<PostgresException>(() => OpenAsync(server, ";Password=other"));
        Assert.Equal("28P01", wrong.SqlState);
        var none = await Assert.ThrowsAsync<IOException>(() => OpenAsync(server));
        Assert.Contains("asks for a password of 'tester'", none.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_is_starting_says_so_and_one_that_is_not_there_is_a_socket_error()
    {
        var server = new FakePostgres(_ => FakePostgres.Complete) { Refusal = FakePostgres.Error("57P03", "the database system is starting up", "FATAL") };
        Assert.Equal("57P03", (await Assert.ThrowsAsync<PostgresException>(() => OpenAsync(server))).SqlState);
        server.Dispose();
        await Assert.ThrowsAnyAsync<System.Net.Sockets.SocketException>(() => OpenAsync(server));
    }

    [Theory]
    [InlineData("Username=a", "no Host")]
    [InlineData("Host=a,b", "several hosts")]
    [InlineData("Host=a;SSL Mode=Require", "SSL Mode=Require")]
    [InlineData("Host=a;Port=none", "no port")]
    [InlineData("Host=a;Maximum Pool Size=5", "'maximum pool size', which is not supported")]
    [InlineData("nonsense", "")]
    public void What_a_connection_string_asks_for_in_vain_is_said(string text, string reason) =>
        Assert.Contains(reason, Assert.ThrowsAny<ArgumentException>(() => PostgresSettings.Parse(text)).Message, StringComparison.Ordinal);

    [Fact]
    public void A_connection_string_has_keys_in_any_case_and_with_or_without_spaces()
    {
        var settings = PostgresSettings.Parse("HOST=/run/x;User Id=a;Pwd=b;ApplicationName=c;search path=d;Options=-c e=f");
        Assert.Equal(("a", "b"), (settings.User, settings.Password));
        var parameters = settings.Parameters.ToDictionary();
        Assert.Equal(("a", "c", "d"), (parameters["database"], parameters["application_name"], parameters["search_path"]));
        Assert.StartsWith("-c e=f -c ", parameters["options"], StringComparison.Ordinal);
    }

    private static async Task<BackendConnection> OpenAsync(FakePostgres server, string more = "") =>
        new(await PostgresConnection.OpenAsync(PostgresSettings.Parse(server.ConnectionString + more), BusyWait.None, Cancel), 1);
}
