using Platform.Monitor.Alerting;
using Xunit;

namespace Platform.Tests.Unit.Monitoring;

public sealed class AlertingTests
{
    [Theory]
    [InlineData("MongoMemberDown", "alertname=MongoMemberDown")]
    [InlineData("member=mongo-2:27017", "member=mongo-2:27017")]
    [InlineData("member!=mongo-2", "member!=mongo-2")]
    [InlineData("job=~api|monitor", "job=~api|monitor")]
    [InlineData("job!~a=b", "job!~a=b")]
    [InlineData("1member=x", null)]
    [InlineData("member=", null)]
    [InlineData("a name", null)]
    [InlineData("", null)]
    public void What_people_write_is_a_matcher_or_nothing(string text, string? expected)
    {
        var matcher = AlertMatcher.Parse(text);
        Assert.Equal(expected, matcher?.ToString());
        if (matcher is not null)
        {
            Assert.Equal(matcher, AlertMatcher.Read(matcher.ToJson()));
        }
    }

    [Fact]
    public void Counters_of_receivers_are_read()
    {
        var counts = AlertmanagerClient.ReadCounts("""
            # TYPE alertmanager_notification_requests_total counter
            alertmanager_notification_requests_total{integration="email",receiver_name="test-mail"} 5
            alertmanager_notification_requests_failed_total{integration="email",receiver_name="test-mail"} 3
            alertmanager_notification_requests_total{integration="webhook",receiver_name="people"} 1.2e+03
            alertmanager_notification_requests_total{integration="email",receiver_name="people"} 1
            alertmanager_notifications_total{integration="email",receiver_name="people"} 77
            """);
        Assert.Equal((5L, 3L, 2L), (counts["test-mail"].Tried, counts["test-mail"].Failed, counts["test-mail"].Delivered));
        Assert.Equal(1201, counts["people"].Tried);
        Assert.Equal(2, counts.Count);
    }
}
