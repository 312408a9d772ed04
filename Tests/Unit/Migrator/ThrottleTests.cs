using Platform.Migrator.Transforms;
using Xunit;

namespace Platform.Tests.Unit.Migrator;

public sealed class ThrottleTests
{
    [Theory]
    [InlineData(1000, 0.5, 1000.0, 0.5)]
    [InlineData(1000, 1.0, 1000.0, 0.0)]
    [InlineData(1000, 5.0, 1000.0, 0.0)]
    [InlineData(300, 1.0, 100.0, 2.0)]
    [InlineData(300, 1.0, null, 0.0)]
    public void The_pause_brings_the_average_down_to_the_limit(long documents, double elapsed, double? limit, double pause) =>
        Assert.Equal(TimeSpan.FromSeconds(pause), Throttle.PauseAfter(documents, TimeSpan.FromSeconds(elapsed), limit));
}
