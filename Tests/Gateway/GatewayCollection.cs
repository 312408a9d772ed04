using Xunit;

namespace Platform.Tests.Gateway;

/// <summary>Tests that share one gateway.</summary>
[CollectionDefinition(Name)]
public sealed class GatewayCollection : ICollectionFixture<GatewayFixture>
{
    /// <summary>The collection's name.</summary>
    public const string Name = "Gateway";
}
