using Xunit;

namespace Platform.Tests.Gateway;

/// <summary>Tests of commands. They share one gateway, and not the one that hostile clients are let loose on.</summary>
[CollectionDefinition(Name)]
public sealed class CommandsCollection : ICollectionFixture<GatewayFixture>
{
    /// <summary>The collection's name.</summary>
    public const string Name = "Commands";
}
