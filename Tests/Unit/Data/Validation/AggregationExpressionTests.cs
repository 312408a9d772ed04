using MongoDB.Bson;
using Platform.Data.Rules;
using Xunit;

namespace Platform.Tests.Unit.Data.Validation;

public sealed class AggregationExpressionTests
{
    [Theory]
    [InlineData("{ $eq: ['$missing', '$alsoMissing'] }", true)]
    [InlineData("{ $lt: ['$missing', null] }", true)]
    [InlineData("{ $eq: ['$whole', '$decimal'] }", true)]
    [InlineData("{ $lte: ['$nan', -1000000] }", true)]
    [InlineData("{ $gt: ['$infinite', { $numberDecimal: '9E+6000' }] }", true)]
    [InlineData("{ $lt: ['$whole', 'text'] }", true)]
    [InlineData("{ $eq: [{ $sum: '$list.n' }, 6] }", true)]
    [InlineData("{ $eq: [{ $sum: ['$whole', 'text', null] }, 2] }", true)]
    [InlineData("{ $eq: [{ $multiply: ['$decimal', '$whole'] }, 4] }", true)]
    [InlineData("{ $eq: [{ $size: { $setUnion: ['$list.n', [1, 2, 3, 4]] } }, 4] }", true)]
    [InlineData("{ $allElementsTrue: [{ $map: { input: '$list', as: 'x', in: { $gte: ['$$x.n', '$whole'] } } }] }", false)]
    [InlineData("{ $and: [{ $isNumber: '$whole' }, { $not: [{ $isArray: '$whole' }] }, { $or: [false, '$list'] }] }", true)]
    [InlineData("{ $in: ['$whole', [1, { $numberDecimal: '2.0' }]] }", true)]
    [InlineData("{ $in: ['$missing', ['a']] }", false)]
    [InlineData("{ $eq: [{ $round: [{ $numberDecimal: '1.005' }, 2] }, 1] }", true)]
    [InlineData("{ $eq: [{ $round: [{ $numberDecimal: '1.015' }, 2] }, { $numberDecimal: '1.02' }] }", true)]
    [InlineData("{ $eq: [{ $round: [{ $numberDecimal: '-2.5' }, 0] }, -2] }", true)]
    [InlineData("{ $eq: [{ $round: ['$decimal', 3] }, '$whole'] }", true)]
    [InlineData("{ $eq: [{ $round: ['$infinite', 2] }, '$infinite'] }", true)]
    [InlineData("{ $cond: [{ $ne: ['$whole', 2] }, true, 0] }", false)]
    public void Expressions_are_what_they_are_on_a_server(string expression, bool expected)
    {
        var document = BsonDocument.Parse("""
            { whole: 2, decimal: { $numberDecimal: '2.00' }, nan: { $numberDouble: 'NaN' }, infinite: { $numberDecimal: 'Infinity' },
              list: [{ n: 1 }, { n: 2 }, { n: 3 }, { other: 1 }] }
            """);

        Assert.Equal(expected, AggregationExpression.Parse(BsonDocument.Parse(expression)).Holds(document));
    }

    [Theory]
    [InlineData("{ $function: { body: 'x', args: [], lang: 'js' } }")]
    [InlineData("{ $map: { input: '$list', as: 'x', in: { $where: 1 } } }")]
    public void An_operator_that_is_not_known_is_refused_with_the_declaration(string expression) =>
        Assert.Throws<NotSupportedException>(() => AggregationExpression.Parse(BsonDocument.Parse(expression)));
}
