using Xunit;

namespace Platform.Tests.Server;

/// <summary>Tests that count what the server has of everybody, or how long others wait for it: they run alone, after all others.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class AloneCollection
{
    /// <summary>The collection's name.</summary>
    public const string Name = "Alone";
}
