using Xunit;

namespace Platform.Tests.Unit.ServiceDefaults;

/// <summary>Tests that record spans run alone: a listener hears the sources of the whole process.</summary>
[CollectionDefinition(nameof(SpanTests), DisableParallelization = true)]
public sealed class SpanTests;
