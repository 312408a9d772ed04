using Xunit;

namespace Platform.Tests.Server;

/// <summary>
/// Tests that start programs and wait for them. They share another gateway than the rest, so that they run while those do.
/// </summary>
[CollectionDefinition(Name)]
public sealed class JobsCollection : ICollectionFixture<GatewayFixture>
{
    /// <summary>The collection's name.</summary>
    public const string Name = "Jobs";
}
