using Xunit;

[assembly: AssemblyFixture(typeof(MongoServer))]

namespace Platform.Tests.Server;

/// <summary>The server that all tests of this project share.</summary>
public sealed class MongoServerTests(MongoServer server, ITestOutputHelper output)
{
    [Fact]
    public void What_the_stand_in_can_do_is_known_so_that_no_test_is_skipped_by_mistake()
    {
        server.Require();
        output.WriteLine($"{server.Address}: {string.Join(", ", server.Features.Order())}");
        Assert.SkipUnless(server.Features.Contains(MongoFeature.SoleUse), "The server was given; what it lacks says each test that is skipped.");
        Assert.Equal([MongoFeature.Transactions, MongoFeature.ChangeStreams, MongoFeature.Users, MongoFeature.SoleUse], server.Features.Order());
    }
}
