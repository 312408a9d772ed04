using Xunit;

namespace Platform.Tests.Server;

/// <summary>Tests that count what the server has of everybody: they run alone, after all others.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class CountedCollection
{
    /// <summary>The collection's name.</summary>
    public const string Name = "Counted";
}
