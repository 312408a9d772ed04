using Xunit;

namespace Platform.Tests.Gateway;

/// <summary>Tests of clients and of access, friendly and not. They share one gateway.</summary>
[CollectionDefinition(Name)]
public sealed class GatewayCollection : ICollectionFixture<GatewayFixture>
{
    /// <summary>The collection's name.</summary>
    public const string Name = "Gateway";
}
