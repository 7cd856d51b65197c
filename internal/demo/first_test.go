package demo

// firstOfSeed1 are the first events of seed 1.
var firstOfSeed1 = []string{
	`odin.trades ADA {"id":1,"token":"ADA","side":"sell","price":0.4499,"amount":7722.26991054,"value":3473.97,"trader":"0x5efa4413"}`,
	`odin.liquidity SOL {"token":"SOL","bid":149.88,"ask":149.95,"bid_depth":110885,"ask_depth":155810,"spread_bps":4.8}`,
	`odin.metadata BTC {"symbol":"BTC","name":"Bitcoin","decimals":2,"supply":19700000,"market_cap":1319102262944}`,
	`odin.social SOL {"token":"SOL","source":"chat","mentions":2,"sentiment":0.8}`,
	`odin.trades DOGE {"id":5,"token":"DOGE","side":"buy","price":0.12003,"amount":4073.56115885,"value":488.95,"trader":"0xec8ae5fc"}`,
	`odin.community SOL {"token":"SOL","members":899999,"online":14536,"posts":4}`,
	`odin.creation ETH {"token":"ETH","pool":"ETH-7","creator":"0x2ddcf693","seeded":9278.72}`,
	`odin.analytics BTC {"token":"BTC","price":67018.54,"low":66959.51,"high":67018.54,"change_pct":0.03,"volume":0,"trades":0}`,
}
