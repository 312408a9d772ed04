using System.Net;
using Platform.Api.Limits;
using Xunit;

namespace Platform.Tests.Unit.Api;

public sealed class RequestLimitsTests
{
    [Theory]
    [InlineData("192.0.2.1", "192.0.2.1")]
    [InlineData("::ffff:192.0.2.1", "192.0.2.1")]
    [InlineData("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::")]
    [InlineData("2001:db8:1:2:ffff::", "2001:db8:1:2::")]
    [InlineData("2001:db8:1:3::", "2001:db8:1:3::")]
    [InlineData(null, "127.0.0.1")]
    public void A_client_is_an_address_or_a_network_that_somebody_has_alone(string? address, string client) =>
        Assert.Equal(IPAddress.Parse(client), RequestLimits.Client(address is null ? null : IPAddress.Parse(address)));

    [Fact]
    public void However_many_callers_there_are_they_share_a_bounded_number_of_buckets_evenly()
    {
        var random = new Random(5);
        var addresses = Enumerable.Range(0, 200_000).Select(_ => RequestLimits.Bucket(new IPAddress(random.Next()))).ToList();
        var tenants = Enumerable.Range(0, 200_000).Select(number => RequestLimits.Bucket($"made-up-{number}")).ToList();

        foreach (var buckets in new[] { addresses, tenants })
        {
            Assert.All(buckets, bucket => Assert.InRange(bucket, 0, RequestLimits.Buckets - 1));
            // 12 each on the average.
            Assert.InRange(buckets.CountBy(bucket => bucket).Max(bucket => bucket.Value), 13, 60);
        }
    }
}
