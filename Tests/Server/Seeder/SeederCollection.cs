using Xunit;

namespace Platform.Tests.Server.Seeder;

/// <summary>Tests of the seeder, with a gateway of their own: they take long, and run beside those of the other jobs.</summary>
[CollectionDefinition(Name)]
public sealed class SeederCollection : ICollectionFixture<GatewayFixture>
{
    /// <summary>The name of the collection.</summary>
    public const string Name = "Seeder";
}
