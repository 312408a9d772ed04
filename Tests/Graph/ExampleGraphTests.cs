using System.Diagnostics;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Hosting.Mongo;
using Xunit;

namespace Platform.Tests.Graph;

/// <summary>The replica set in a graph that is not the platform's, as <c>Hosting/README.md</c> shows it.</summary>
[Collection(TestCollections.Cache)]
public sealed class ExampleGraphTests : IAsyncLifetime
{
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(3);

    private readonly string _directory = Directory.CreateTempSubdirectory("example graph ").FullName;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <inheritdoc/>
    public ValueTask InitializeAsync()
    {
        Assert.SkipWhen(ServerImage.WhyUnavailable() is not null, ServerImage.WhyUnavailable() ?? "");
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await TestStack.RemoveDataAsync(_directory);

    [Fact(Timeout = 600_000)]
    public async Task A_database_and_a_user_of_somebody_else_are_written_read_kept_and_stopped_cleanly()
    {
        await using (var app = Build())
        {
            await StartAsync(app);
            var notes = await NotesAsync(app, "writer");
            await notes.InsertOneAsync(new BsonDocument("text", "kept"), cancellationToken: Token);

            // A reader reads, and does nothing else; a writer has no other database.
            var read = await NotesAsync(app, "reader");
            Assert.Equal("kept", (await read.Find(new BsonDocument()).SingleAsync(Token))["text"].AsString);
            Assert.Equal(13, (await Assert.ThrowsAsync<MongoCommandException>(() => read.Database.DropCollectionAsync("notes", Token))).Code);
            var other = notes.Database.Client.GetDatabase("somebody-elses").GetCollection<BsonDocument>("notes");
            Assert.Equal(13, (await Assert.ThrowsAsync<MongoCommandException>(() => other.Find(new BsonDocument()).ToListAsync(Token))).Code);

            // What a majority has acknowledged is on more than one of three.
            Assert.Equal(3, (await StatusAsync(app))["members"].AsBsonArray.Count);
            await StopAsync(app);
        }

        await using (var app = Build())
        {
            await StartAsync(app);
            var kept = await (await NotesAsync(app, "reader")).Find(new BsonDocument()).SingleAsync(Token);
            Assert.Equal("kept", kept["text"].AsString);
            await StopAsync(app);
        }
    }

    private DistributedApplication Build()
    {
        var builder = DistributedApplication.CreateBuilder(new DistributedApplicationOptions
        {
            Args =
            [
                "--environment=Development", "--Parameters:library-password=one", "--Parameters:reader-password=two", "--Parameters:writer-password=three",
                // The stop returns when everything has ended.
                "--DcpPublisher:WaitForResourceCleanup=true",
            ],
            // Where the orchestrator is, which the build notes in that program.
            AssemblyName = "Platform.AppHost",
            DisableDashboard = true,
        });
        builder.Services.AddLogging(logging => logging.SetMinimumLevel(LogLevel.None));

        var library = builder.AddMongoReplicaSet("library", new()
        {
            Engine = Engine.DocumentDb, DataDirectory = _directory, ServerImage = ServerImage.Directory, Gateway = [BuiltProgram.Path("Gateway")],
        });
        var notes = library.AddReplicaSetDatabase("notes");
        var reader = notes.AddUser("reader", "read");
        var writer = notes.AddUser("writer", "readWrite");
        builder.AddExecutable("printer", "printenv", ".", "ConnectionStrings__reader").WithReference(reader).WaitFor(reader).WaitFor(writer);

        return builder.Build();
    }

    private static async Task StartAsync(DistributedApplication app)
    {
        var starting = app.StartAsync(Token);
        await app.UntilHealthyAsync("library", s_patience, Token);
        await app.UntilSaidAsync("printer", "mongodb://notes-reader:two@", s_patience, Token);
        await starting;
    }

    // Each process of a member says where its data is.
    private async Task StopAsync(DistributedApplication app)
    {
        Assert.NotEmpty(await ProcessesAsync());
        await app.StopAsync(Token);
        await Wait.UntilAsync(async () => (await ProcessesAsync()).Length == 0, () => "no process of the members is left", s_patience, Token);
    }

    private async Task<string[]> ProcessesAsync()
    {
        var found = await ProgramResult.OfAsync(
            new ProcessStartInfo("bash", ["-c", "grep -lzF -- \"__DataDirectory=$1/\" /proc/[0-9]*/environ 2>/dev/null || true", "find", _directory]), Token);
        return found.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    private static async Task<IMongoCollection<BsonDocument>> NotesAsync(DistributedApplication app, string user)
    {
        var resource = app.Services.GetRequiredService<DistributedApplicationModel>().Resources.OfType<MongoReplicaSetUserResource>()
            .Single(resource => resource.Name == user);
        return StackClients.Mongo(await resource.ConnectionStringExpression.GetValueAsync(Token)).GetDatabase("notes").GetCollection<BsonDocument>("notes");
    }

    private static async Task<BsonDocument> StatusAsync(DistributedApplication app)
    {
        var library = app.Services.GetRequiredService<DistributedApplicationModel>().Resources.OfType<MongoReplicaSetResource>().Single();
        return await StackClients.Mongo(await library.ConnectionStringExpression.GetValueAsync(Token)).GetDatabase("admin")
            .RunCommandAsync<BsonDocument>(new BsonDocument("replSetGetStatus", 1), cancellationToken: Token);
    }
}
