using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Gateway;
using Platform.Gateway.Cursors;
using Platform.Gateway.Sessions;
using Xunit;

namespace Platform.Tests.Gateway;

/// <summary>Users, and clients that are none yet, who take what they can get: others go on, and what was taken comes back.</summary>
[Collection(GatewayCollection.Name)]
public sealed class HostileUserTests(GatewayFixture gateway)
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Open_transactions_of_one_connection_take_a_share_and_others_work_on()
    {
        await using var own = await StartAsync(
            "--Gateway:MaxEngineConnections=10", "--Gateway:EngineConnectionWait=00:00:00.200", "--Gateway:MaxTransactionsPerConnection=8");
        await using var hostile = await own.UserAsync();
        // Five of ten is a user's share.
        for (var i = 0; i < 5; i++)
        {
            Assert.Equal(1.0, (await hostile.CommandAsync(InTransaction(Guid.NewGuid()), Cancel))["ok"]);
        }

        Assert.Equal(262, (await hostile.CommandAsync(InTransaction(Guid.NewGuid()), Cancel))["code"]);
        await using var bystander = await own.UserAsync();
        Assert.Equal(1.0, (await bystander.CommandAsync(Find(own.Database, 1), Cancel))["ok"]);
        Assert.Equal(HealthStatus.Healthy, await own.HealthAsync());

        // A second one cannot take the last that users get: they are for those who have few.
        await using var second = await own.UserAsync();
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(1.0, (await second.CommandAsync(InTransaction(Guid.NewGuid()), Cancel))["ok"]);
        }

        Assert.Equal(262, (await second.CommandAsync(InTransaction(Guid.NewGuid()), Cancel))["code"]);
        Assert.Equal(1.0, (await bystander.CommandAsync(Find(own.Database, 1), Cancel))["ok"]);
        Assert.Equal(HealthStatus.Healthy, await own.HealthAsync());

        // A third one does. Administrators and logins go on, and the health check says what others find.
        await using var third = await own.UserAsync();
        Assert.Equal(1.0, (await third.CommandAsync(InTransaction(Guid.NewGuid()), Cancel))["ok"]);
        Assert.Equal(262, (await bystander.CommandAsync(Find(own.Database, 1), Cancel))["code"]);
        await using var administrator = await own.LoginAsync(GatewayFixture.User, GatewayFixture.Password);
        Assert.Equal(1.0, (await administrator.CommandAsync(Find(own.Database, 1), Cancel))["ok"]);
        Assert.Equal(HealthStatus.Unhealthy, await own.HealthAsync());
        await hostile.DisposeAsync();
        await Wait.UntilAsync(async () => await own.HealthAsync() == HealthStatus.Healthy, "the gateway is healthy again", Cancel);
    }

    [Fact]
    public async Task A_connection_begins_so_many_transactions_and_no_more()
    {
        await using var own = await StartAsync("--Gateway:MaxTransactionsPerConnection=3");
        await using var hostile = await own.UserAsync();
        var sessions = Enumerable.Range(0, 3).Select(_ => Guid.NewGuid()).ToList();
        foreach (var session in sessions)
        {
            Assert.Equal(1.0, (await hostile.CommandAsync(InTransaction(session), Cancel))["ok"]);
        }

        var refused = await hostile.CommandAsync(InTransaction(Guid.NewGuid()), Cancel);
        Assert.Equal(365, refused["code"]);
        Assert.Contains("TransientTransactionError", refused["errorLabels"].AsBsonArray);
        // Each end of a transaction leaves its place.
        await hostile.CommandAsync(
            new BsonDocument
            {
                { "abortTransaction", 1 }, { "lsid", Session(sessions[0]) }, { "txnNumber", 1L }, { "autocommit", false }, { "$db", "admin" },
            },
            Cancel);
        Assert.Equal(1.0, (await hostile.CommandAsync(InTransaction(Guid.NewGuid()), Cancel))["ok"]);
    }

    [Fact]
    public async Task A_transaction_that_is_open_when_its_gateway_ends_holds_up_no_index_of_another()
    {
        await using (var own = await StartAsync())
        {
            await using var client = await own.UserAsync();
            Assert.Equal(1.0, (await client.CommandAsync(InTransaction(Guid.NewGuid()), Cancel))["ok"]);
            await own.Application.StopAsync(Cancel);
        }

        var collection = gateway.NewDatabase().GetCollection<BsonDocument>("c");
        await collection.InsertOneAsync(new BsonDocument("_id", 1), cancellationToken: Cancel);
        await collection.Indexes.CreateOneAsync(new CreateIndexModel<BsonDocument>(new BsonDocument("a", 1)), cancellationToken: Cancel)
            .WaitAsync(s_patience, Cancel);
    }

    [Fact]
    public async Task Sessions_are_made_when_something_runs_in_them_and_a_user_with_too_many_loses_the_oldest()
    {
        await using var own = await StartAsync("--Gateway:MaxSessionsPerUser=20");
        await using var client = await own.LoginAsync(GatewayFixture.User, GatewayFixture.Password);
        var sessions = own.Application.Services.GetRequiredService<SessionStore>();
        Assert.Equal(1.0, (await client.CommandAsync(Refresh(10_000), Cancel))["ok"]);
        Assert.Equal(0, sessions.Count);
        Assert.Equal(2, (await client.CommandAsync(Refresh(10_001), Cancel))["code"]);
        Assert.Equal(1.0, (await client.CommandAsync(new BsonDocument { { "startSession", 1 }, { "$db", "admin" } }, Cancel))["ok"]);
        Assert.Equal(0, sessions.Count);
        for (var i = 0; i < 60; i++)
        {
            var reply = await client.CommandAsync(
                new BsonDocument
                {
                    { "insert", "c" }, { "documents", new BsonArray { new BsonDocument("_id", i) } }, { "lsid", Session(Guid.NewGuid()) },
                    { "txnNumber", 1L }, { "$db", own.Database },
                },
                Cancel);
            Assert.Equal(1, reply["n"]);
            Assert.InRange(sessions.Count, 1, 20);
        }
    }

    [Fact]
    public async Task Cursors_of_one_user_end_at_a_limit_and_with_whatever_they_belong_to()
    {
        await using var own = await StartAsync("--Gateway:MaxCursorsPerUser=5", "--Gateway:MaxCursorsPerConnection=4");
        var cursors = own.Application.Services.GetRequiredService<CursorStore>();
        var (user, hostile) = await own.NewUserAsync();
        await using var another = await own.LoginAsync(user, "secret");
        await using var bystander = await own.UserAsync();
        await using var administrator = await own.LoginAsync(GatewayFixture.User, GatewayFixture.Password);
        for (var i = 0; i < 4; i++)
        {
            await OpenAsync(hostile, own.Database);
        }

        Assert.Equal(146, (await hostile.CommandAsync(Find(own.Database, 2), Cancel))["code"]);
        var session = Guid.NewGuid();
        var kept = await OpenAsync(another, own.Database, session);
        Assert.Equal(146, (await another.CommandAsync(Find(own.Database, 2), Cancel))["code"]);
        var others = await OpenAsync(bystander, own.Database);
        Assert.NotEmpty((await MoreAsync(bystander, own.Database, others))["cursor"]["nextBatch"].AsBsonArray);

        // Those without a session end with their connection; nobody ends another user's session.
        await hostile.DisposeAsync();
        await Wait.UntilAsync(() => cursors.Count == 2, "the two cursors that are used are the ones left", Cancel);
        var end = new BsonDocument { { "endSessions", new BsonArray { Session(session) } }, { "$db", "admin" } };
        Assert.Equal(1.0, (await bystander.CommandAsync(end, Cancel))["ok"]);
        Assert.Equal(2, cursors.Count);
        var more = await MoreAsync(another, own.Database, kept, session);
        Assert.Equal(1.0, more["ok"]);

        Assert.Equal(1.0, (await another.CommandAsync(end, Cancel))["ok"]);
        Assert.Equal(1, cursors.Count);
        await OpenAsync(another, own.Database);
        await administrator.CommandAsync(
            new BsonDocument { { "killAllSessions", new BsonArray { new BsonDocument { { "user", user }, { "db", "admin" } } } }, { "$db", "admin" } }, Cancel);
        Assert.Equal(1, cursors.Count);
        await OpenAsync(another, own.Database);
        await another.CommandAsync(new BsonDocument { { "logout", 1 }, { "$db", "admin" } }, Cancel);
        Assert.Equal(1, cursors.Count);
        await another.LoginAsync(user, "secret", Cancel);
        await OpenAsync(another, own.Database, Guid.NewGuid());
        Assert.Equal(1.0, (await administrator.CommandAsync(new BsonDocument { { "dropUser", user }, { "$db", "admin" } }, Cancel))["ok"]);
        Assert.Equal(1, cursors.Count);
    }

    [Fact]
    public async Task Sockets_that_never_log_in_leave_places_and_are_closed_in_the_end()
    {
        await using var own = await StartAsync("--Gateway:MaxConnections=40", "--Gateway:LoginTimeout=00:00:02");
        var idle = new List<WireClient>();
        try
        {
            for (var i = 0; i < 100; i++)
            {
                var client = await WireClient.ConnectAsync(own.Port, Cancel);
                idle.Add(client);
                Assert.True((await client.CommandAsync(new BsonDocument { { "hello", 1 }, { "$db", "admin" } }, Cancel))["isWritablePrimary"].AsBoolean);
            }

            await using var user = await own.UserAsync();
            // As a driver watches the server: it says nothing more itself, and is told every now and then.
            await using var monitor = await WireClient.ConnectAsync(own.Port, Cancel);
            var hello = await monitor.CommandAsync(new BsonDocument { { "hello", 1 }, { "$db", "admin" } }, Cancel);
            await monitor.SendAsync(
                WireClient.Message(
                    new BsonDocument { { "hello", 1 }, { "topologyVersion", hello["topologyVersion"] }, { "maxAwaitTimeMS", 500 }, { "$db", "admin" } }, 2,
                    1 << 16),
                Cancel);
            await Task.WhenAll(idle.Select(async c => Assert.True(await c.IsClosedAsync(Cancel)))).WaitAsync(s_patience, Cancel);
            for (var i = 0; i < 6; i++)
            {
                Assert.True((await monitor.ReceiveAsync(Cancel)).Reply["isWritablePrimary"].AsBoolean);
            }

            Assert.Equal(1.0, (await user.CommandAsync(Find(own.Database, 1), Cancel))["ok"]);
        }
        finally
        {
            foreach (var client in idle)
            {
                await client.DisposeAsync();
            }
        }
    }

    [Fact]
    public async Task What_a_client_says_about_itself_is_short_and_said_once()
    {
        await using var client = await WireClient.ConnectAsync(gateway, Cancel);
        Assert.Equal(185, (await client.CommandAsync(Hello(new string('x', 600)), Cancel))["code"]);
        Assert.Equal(184, (await client.CommandAsync(Hello(new string('x', 129)), Cancel))["code"]);
        Assert.Equal(1.0, (await client.CommandAsync(Hello(new string('x', 128)), Cancel))["ok"]);
        Assert.Equal(186, (await client.CommandAsync(Hello("another"), Cancel))["code"]);
        Assert.Equal(1.0, (await client.CommandAsync(new BsonDocument { { "hello", 1 }, { "$db", "admin" } }, Cancel))["ok"]);

        static BsonDocument Hello(string name) => new()
        {
            { "hello", 1 }, { "client", new BsonDocument("application", new BsonDocument("name", name)) }, { "$db", "admin" },
        };
    }

    [Fact]
    public async Task Guesses_under_made_up_and_real_names_keep_nobody_out_who_has_logged_in()
    {
        await using var own = await StartAsync();
        await (await own.UserAsync()).DisposeAsync();
        await using (var first = await own.LoginAsync(GatewayFixture.User, GatewayFixture.Password))
        {
        }

        for (var i = 0; i < 60; i++)
        {
            await using var guess = await WireClient.ConnectAsync(own.Port, Cancel);
            var started = await guess.StartLoginAsync(i < 55 ? $"nobody{i}" : GatewayFixture.User, Cancel);
            var nonce = Encoding.UTF8.GetString(started["payload"].AsByteArray).Split(',')[0];
            var wrong = new BsonDocument
            {
                { "saslContinue", 1 }, { "conversationId", started["conversationId"] },
                { "payload", Encoding.UTF8.GetBytes($"c=biws,{nonce},p={Convert.ToBase64String(new byte[32])}") }, { "$db", "admin" },
            };
            Assert.Equal(18, (await guess.CommandAsync(wrong, Cancel))["code"]);
        }

        await using var again = await own.LoginAsync(GatewayFixture.User, GatewayFixture.Password);
        // And whoever has not logged in yet is not held back by names that do not exist.
        await using var another = await own.UserAsync();
    }

    [Fact]
    public async Task A_name_that_is_none_cannot_be_told_from_one_that_is()
    {
        await using var own = await StartAsync();
        await using var restarted = await StartAsync();
        var (user, client) = await own.NewUserAsync();
        await client.DisposeAsync();
        var real = await ChallengeAsync(own, user);
        foreach (var name in (string[])["nobody", "postgres", "none", "documentdb_bg_worker_role", new string('u', 100), user + "\0", user + "\n"])
        {
            var fake = await ChallengeAsync(own, name);
            Assert.Equal(real.Iterations, fake.Iterations);
            Assert.Equal(real.Salt.Length, fake.Salt.Length);
            Assert.Equal(fake, await ChallengeAsync(own, name));
            Assert.Equal(fake, await ChallengeAsync(restarted, name));
            await using var guess = await WireClient.ConnectAsync(own.Port, Cancel);
            var refused = await guess.CommandAsync(WireClient.Prove(name, "secret", await guess.StartLoginAsync(name, Cancel)).Command, Cancel);
            Assert.Equal((18, "Authentication failed."), (refused["code"].AsInt32, refused["errmsg"].AsString));
        }

        static async Task<(string Salt, string Iterations)> ChallengeAsync(OwnGateway own, string name)
        {
            await using var client = await WireClient.ConnectAsync(own.Port, Cancel);
            var fields = Encoding.UTF8.GetString((await client.StartLoginAsync(name, Cancel))["payload"].AsByteArray).Split(',');
            return (fields[1], fields[2]);
        }
    }

    [Fact]
    public async Task Names_are_judged_before_the_engine_cuts_or_misreads_them()
    {
        await using var own = await StartAsync();
        await using var administrator = await own.LoginAsync(GatewayFixture.User, GatewayFixture.Password);
        var longest = "u" + Guid.NewGuid().ToString("N") + new string('x', 30);
        Assert.Equal(1.0, (await CreateAsync(longest))["ok"]);
        foreach (var name in (string[])[longest + "y", "a\0b", "a\nb", "", "pg_monitor"])
        {
            var refused = await CreateAsync(name);
            Assert.Equal(2, refused["code"]);
            Assert.DoesNotContain("encoding", refused["errmsg"].AsString, StringComparison.Ordinal);
        }

        // The backend would cut this to the user's name.
        await using var cut = await WireClient.ConnectAsync(own.Port, Cancel);
        var started = await cut.StartLoginAsync(longest + "y", Cancel);
        Assert.Equal(18, (await cut.CommandAsync(WireClient.Prove(longest + "y", "secret", started).Command, Cancel))["code"]);

        foreach (var database in (string[])["", "a\0b", "a b", "$x", new string('d', 64)])
        {
            foreach (var command in (BsonDocument[])[new("ping", 1), new("find", "c"), new("listCollections", 1), new("dropDatabase", 1)])
            {
                Assert.Equal(73, (await administrator.CommandAsync(command.Add("$db", database), Cancel))["code"]);
            }
        }

        foreach (var collection in (string[])["", "a\0b", "a$b", ".a", new string('c', 250)])
        {
            foreach (var command in (BsonDocument[])[new("find", collection), new("create", collection), new("drop", collection), new("count", collection)])
            {
                Assert.Equal(73, (await administrator.CommandAsync(command.Add("$db", own.Database), Cancel))["code"]);
            }
        }

        Task<BsonDocument> CreateAsync(string name) => administrator.CommandAsync(
            new BsonDocument { { "createUser", name }, { "pwd", "secret" }, { "roles", new BsonArray { "readAnyDatabase" } }, { "$db", "admin" } }, Cancel);
    }

    [Fact]
    public async Task A_name_cannot_write_lines_of_its_own_into_the_log()
    {
        await using var own = await StartAsync("--Logging:LogLevel:Default=Warning", "--Logging:Console:LogLevel:Default=None");
        await using var guess = await WireClient.ConnectAsync(own.Port, Cancel);
        const string name = "x\n2026-01-01T00:00:00.000Z W Gateway: a line\u001b[2J";
        await guess.CommandAsync(WireClient.Prove(name, "wrong", await guess.StartLoginAsync(name, Cancel)).Command, Cancel);
        await using var administrator = await own.LoginAsync(GatewayFixture.User, GatewayFixture.Password);
        var lines = (await administrator.CommandAsync(new BsonDocument { { "getLog", "global" }, { "$db", "admin" } }, Cancel))["log"].AsBsonArray;
        var line = Assert.Single(lines, l => l.AsString.Contains("a line", StringComparison.Ordinal)).AsString;
        Assert.DoesNotContain(line, char.IsControl);
    }

    [Fact]
    public async Task A_connection_on_which_login_after_login_fails_is_closed()
    {
        await using var own = await StartAsync();
        await using var client = await WireClient.ConnectAsync(own.Port, Cancel);
        var malformed = new BsonDocument { { "saslStart", 1 }, { "mechanism", "SCRAM-SHA-256" }, { "payload", "n,,=" }, { "$db", "admin" } };
        for (var i = 0; i < 10; i++)
        {
            Assert.Equal(18, (await client.CommandAsync(malformed, Cancel))["code"]);
        }

        Assert.True(await client.IsClosedAsync(Cancel).WaitAsync(s_patience, Cancel));
    }

    private static BsonDocument Session(Guid id) => new("id", new BsonBinaryData(id, GuidRepresentation.Standard));

    private static BsonDocument Refresh(int count) => new()
    {
        { "refreshSessions", new BsonArray(Enumerable.Range(0, count).Select(_ => Session(Guid.NewGuid()))) }, { "$db", "admin" },
    };

    private static BsonDocument InTransaction(Guid session) => new()
    {
        { "find", "c" }, { "lsid", Session(session) }, { "txnNumber", 1L }, { "startTransaction", true }, { "autocommit", false }, { "$db", "t" },
    };

    private static BsonDocument Find(string database, int batchSize) =>
        new() { { "find", "pages" }, { "sort", new BsonDocument("a", 1) }, { "batchSize", batchSize }, { "$db", database } };

    private static async Task<long> OpenAsync(WireClient client, string database, Guid? session = null)
    {
        var command = Find(database, 2);
        if (session is { } id)
        {
            command.Add("lsid", Session(id));
        }

        var reply = await client.CommandAsync(command, Cancel);
        var cursor = reply["cursor"]["id"].AsInt64;
        Assert.NotEqual(0, cursor);
        return cursor;
    }

    private static Task<BsonDocument> MoreAsync(WireClient client, string database, long cursor, Guid? session = null)
    {
        var command = new BsonDocument { { "getMore", cursor }, { "collection", "pages" }, { "batchSize", 2 }, { "$db", database } };
        return client.CommandAsync(session is { } id ? command.Add("lsid", Session(id)) : command, Cancel);
    }

    private async Task<OwnGateway> StartAsync(params string[] settings)
    {
        gateway.Require();
        var port = FreePort.Find();
        var application = GatewayFixture.Build(port, gateway.EngineConnectionString, settings);
        await GatewayApplication.StartAsync(application, Cancel);
        var own = new OwnGateway(application, port);
        await using var client = await own.LoginAsync(GatewayFixture.User, GatewayFixture.Password);
        await client.CommandAsync(
            new BsonDocument
            {
                { "insert", "pages" }, { "documents", new BsonArray(Enumerable.Range(0, 20).Select(i => new BsonDocument { { "_id", i }, { "a", -i } })) },
                { "$db", own.Database },
            },
            Cancel);
        return own;
    }

    /// <summary>A gateway with settings of its own on the fixture's backend, with a collection of several pages.</summary>
    private sealed record OwnGateway(WebApplication Application, int Port) : IAsyncDisposable
    {
        public string Database { get; } = "t" + Guid.NewGuid().ToString("N");

        public async ValueTask DisposeAsync()
        {
            await Application.StopAsync();
            await Application.DisposeAsync();
        }

        public async Task<HealthStatus> HealthAsync() =>
            (await Application.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync(Cancel)).Entries["engine"].Status;

        public async Task<WireClient> LoginAsync(string user, string password)
        {
            var client = await WireClient.ConnectAsync(Port, Cancel);
            await client.LoginAsync(user, password, Cancel).WaitAsync(s_patience, Cancel);
            return client;
        }

        /// <summary>A client that is logged in as a new user who may read.</summary>
        public async Task<WireClient> UserAsync() => (await NewUserAsync()).Client;

        public async Task<(string User, WireClient Client)> NewUserAsync()
        {
            var user = "u" + Guid.NewGuid().ToString("N");
            await using var administrator = await LoginAsync(GatewayFixture.User, GatewayFixture.Password);
            var created = await administrator.CommandAsync(
                new BsonDocument { { "createUser", user }, { "pwd", "secret" }, { "roles", new BsonArray { "readAnyDatabase" } }, { "$db", "admin" } }, Cancel);
            Assert.Equal(1.0, created["ok"]);
            return (user, await LoginAsync(user, "secret"));
        }
    }
}
