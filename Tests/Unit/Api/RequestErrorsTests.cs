using System.Text.RegularExpressions;
using Platform.Api.Problems;
using Xunit;

namespace Platform.Tests.Unit.Api;

/// <summary>Generated values of parameters: numbers are what their grammar says, whatever the platform's parsers read into a text.</summary>
public sealed partial class RequestErrorsTests
{
    private const int Values = 20_000;

    private static readonly string[] Pieces =
        [
            "0", "1", "5", "12", "9", "-", "+", ".", "\0", "\0\0", " ", "\n", "e", "E", "E+1", ",", "_", "x", "٣", "５", "−", "%", "€", "(",
            ")", "NaN", "∞", "\u00A0", "\u200E",
        ];

    [Fact]
    public void A_number_is_a_sign_digits_and_a_point_and_nothing_else()
    {
        var random = new Random(11);
        var accepted = 0;
        for (var number = 0; number < Values; number++)
        {
            // Digits first more often than not, or hardly any would be a number.
            var text = $"{random.Next(20)}{string.Concat(Enumerable.Range(0, random.Next(4)).Select(_ => Pieces[random.Next(Pieces.Length)]))}";
            if (random.Next(3) == 0)
            {
                text = string.Concat(Enumerable.Range(0, random.Next(1, 5)).Select(_ => Pieces[random.Next(Pieces.Length)]));
            }

            var (whole, amount, real) = (new RequestErrors(), new RequestErrors(), new RequestErrors());
            whole.Whole("n", text, int.MinValue, int.MaxValue, 0);
            amount.Amount("n", text);
            real.Number("n", text, double.MinValue, double.MaxValue, 0);

            Assert.True(!whole.None || WholeNumber().IsMatch(text), text);
            Assert.True(!amount.None || DecimalNumber().IsMatch(text), text);
            Assert.True(!real.None || DecimalNumber().IsMatch(text), text);
            Assert.True(real.None || !DecimalNumber().IsMatch(text), text);
            accepted += whole.None ? 1 : 0;
        }

        Assert.InRange(accepted, Values / 10, Values);
    }

    [GeneratedRegex(@"^[+-]?[0-9]+\z")]
    private static partial Regex WholeNumber();

    [GeneratedRegex(@"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)\z")]
    private static partial Regex DecimalNumber();
}
