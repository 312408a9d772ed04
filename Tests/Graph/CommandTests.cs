using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.DependencyInjection;
using MongoDB.Bson;
using Xunit;

namespace Platform.Tests.Graph;

/// <summary>The commands that the graph adds to its resources, run as the dashboard runs them.</summary>
[Collection(TestCollections.Cache)]
public sealed class CommandTests(StackFixture stack, OwnData<CommandTests> own) : IClassFixture<OwnData<CommandTests>>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Run_migrations_runs_the_migrator_again_and_shows_what_it_said()
    {
        var result = await RunAsync(ResourceNames.Database, "run-migrations");

        Assert.True(result.Success, result.Message);
        Assert.Equal("migrator is done.", result.Message);
        Assert.NotEmpty(result.Data!.Value);
    }

    [Fact]
    public async Task Seed_again_leaves_what_is_there()
    {
        var before = await ProductsAsync();

        var result = await RunAsync(ResourceNames.Database, "seed-again");

        Assert.True(result.Success, result.Message);
        Assert.Contains("Already seeded", result.Data!.Value, StringComparison.Ordinal);
        Assert.Equal(before, await ProductsAsync());
    }

    [Fact]
    public async Task Flush_cache_removes_every_key_and_tells_how_many()
    {
        var key = $"{own.KeyPrefix}flushed";
        await own.Cache.StringSetAsync(key, "1");

        var result = await RunAsync(ResourceNames.Cache, "flush-cache");

        Assert.True(result.Success, result.Message);
        Assert.Matches("^[1-9][0-9]* keys were removed\\.$", result.Message);
        Assert.False(await own.Cache.KeyExistsAsync(key));
    }

    [Fact]
    public void Commands_that_lose_data_ask_first()
    {
        Assert.All(
            (IEnumerable<ResourceCommandAnnotation>)[Command(ResourceNames.Cache, "flush-cache"), Command(ResourceNames.Database, "clean-data")],
            command => Assert.False(string.IsNullOrEmpty(command.ConfirmationMessage)));
    }

    [Theory]
    [InlineData(ResourceNames.Database, "run-migrations")]
    [InlineData(ResourceNames.Database, "seed-again")]
    [InlineData(ResourceNames.Database, "clean-data")]
    [InlineData(ResourceNames.Cache, "flush-cache")]
    public async Task Commands_can_be_chosen_only_while_their_resource_is_healthy(string resource, string name)
    {
        var healthy = await stack.App.UntilHealthyAsync(resource, TimeSpan.FromSeconds(30), Token);
        var command = Command(resource, name);

        Assert.Equal(ResourceCommandState.Enabled, StateOn(healthy.Snapshot));
        Assert.Equal(ResourceCommandState.Disabled, StateOn(healthy.Snapshot with { State = KnownResourceStates.Starting }));

        ResourceCommandState StateOn(CustomResourceSnapshot snapshot)
            => command.UpdateState(new UpdateCommandStateContext { ResourceSnapshot = snapshot, Services = stack.App.Services });
    }

    private Task<long> ProductsAsync() =>
        stack.Database.GetCollection<BsonDocument>(CollectionNames.Products).CountDocumentsAsync(new BsonDocument(), null, Token);

    private Task<ExecuteCommandResult> RunAsync(string resource, string command)
        => stack.App.ResourceCommands.ExecuteCommandAsync(resource, command, Token);

    private ResourceCommandAnnotation Command(string resource, string command)
        => stack.App.Services.GetRequiredService<DistributedApplicationModel>().Resources
            .Single(candidate => candidate.Name == resource)
            .Annotations.OfType<ResourceCommandAnnotation>().Single(annotation => annotation.Name == command);
}
